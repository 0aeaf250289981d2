import { PROPOSED_ROLE_SETTINGS, SetupDefinition } from '@gatehouse/contracts';
import { zodResolver } from '@hookform/resolvers/zod';
import { Button } from '@fluentui/react-button';
import { tokens } from '@fluentui/react-theme';
import { makeStyles, mergeClasses } from '@griffel/react';
import { useQuery } from '@tanstack/react-query';
import { useEffect, useRef, useState } from 'react';
import { FormProvider, useForm, type FieldPath } from 'react-hook-form';
import { useLocation, useNavigate, useParams, useSearchParams } from 'react-router';
import { ApiError } from '../../lib/api.ts';
import { useSession } from '../../lib/session.ts';
import { ConfirmDialog } from '../../ui/confirm-dialog.tsx';
import { Page } from '../../ui/page.tsx';
import { ProblemBar } from '../../ui/problem-bar.tsx';
import { ListSkeleton } from '../../ui/states.tsx';
import { ApplicationsStep } from './applications-step.tsx';
import { draftBeganFrom, draftKeyOf, forgetDraft, keepDraft, keepDraftBeganFrom, readDraft, type SetupDraft } from './draft.ts';
import { GroupStep } from './group-step.tsx';
import { PeopleStep } from './people-step.tsx';
import { ReviewStep } from './review-step.tsx';
import { RoleSettingsStep } from './role-settings-step.tsx';
import { setup, type Existing } from './setups.queries.ts';
import { leadOf } from './wizard-opening.tsx';
import { isUnknown, UnknownPage } from '../../ui/unknown-page.tsx';

const STEPS = [
  { title: 'Group', fields: ['group', 'owners'] }, { title: 'Role settings', fields: ['roleSettings', 'ownerRoleSettings'] }, { title: 'People', fields: ['eligible'] }, { title: 'Applications', fields: ['applications'] }, { title: 'Review', fields: [] },
] as const satisfies readonly { title: string; fields: readonly (keyof SetupDraft)[] }[];

const useStyles = makeStyles({
  steps: { display: 'flex', flexWrap: 'wrap', gap: '4px 8px', margin: '8px 0 24px', padding: 0, listStyle: 'none' },
  step: { display: 'flex', alignItems: 'center', gap: '8px', padding: '6px 12px', borderRadius: tokens.borderRadiusCircular, color: tokens.colorNeutralForeground2, backgroundColor: tokens.colorNeutralBackground3 },
  here: { color: tokens.colorNeutralForegroundOnBrand, backgroundColor: tokens.colorBrandBackground, fontWeight: tokens.fontWeightSemibold },
  heading: { margin: '0 0 16px', fontSize: tokens.fontSizeBase500, lineHeight: tokens.lineHeightBase500, fontWeight: tokens.fontWeightSemibold, ':focus': { outline: 'none' } },
  foot: { display: 'flex', justifyContent: 'flex-end', gap: '8px', marginTop: '24px', maxWidth: '760px' },
});

const EMPTY: SetupDraft = { group: { kind: 'new', displayName: '', mailNickname: '', description: '' }, owners: [], roleSettings: PROPOSED_ROLE_SETTINGS, ownerRoleSettings: null, eligible: [], applications: [] };

/** The wizard: from the group to the application that it opens, and the review of every change. */
export function SetupWizardPage() {
  const { setupId } = useParams();
  const existing = useQuery({ ...setup(setupId ?? ''), enabled: setupId !== undefined });
  if (setupId === undefined) return <Wizard existing={undefined} title="Secure an application" initial={EMPTY} />;
  if (isUnknown(existing.error)) return <UnknownPage what="setup" />;
  if (!existing.data) return <Page title="Change a setup"><ProblemBar error={existing.error} onRetry={() => void existing.refetch()} />{existing.isPending && <ListSkeleton rows={5} />}</Page>;
  const { definition, groupId, name, updatedAt } = existing.data;
  // What the first run made exists by now: the setup goes on with the group as it is.
  const initial: SetupDraft = groupId === null ? definition : { ...definition, group: { kind: 'existing', groupId, displayName: name } };
  return <Wizard existing={{ setupId, unchangedSince: updatedAt }} title={`Change ${name}`} initial={initial} />;
}

function Wizard({ existing, title, initial }: { existing: Existing | undefined; title: string; initial: SetupDraft }) {
  const styles = useStyles();
  const navigate = useNavigate();
  const { person } = useSession();
  const [search, setSearch] = useSearchParams();
  const draftKey = draftKeyOf(person?.id, existing?.setupId);
  const [resumed] = useState(() => readDraft(draftKey));
  // Not as it is read again while the wizard is open: what somebody else changes meanwhile is not in the draft.
  const [beganFrom] = useState(() => existing && { ...existing, unchangedSince: (resumed && draftBeganFrom(draftKey)) ?? existing.unchangedSince });
  const { state } = useLocation();
  // As it was opened: going through the steps leaves that entry of the history.
  const [lead] = useState(() => resumed && (leadOf(state) ?? 'Taken up where you left it in this tab.'));
  const form = useForm<SetupDraft, unknown, SetupDefinition>({ resolver: zodResolver(SetupDefinition), defaultValues: resumed ?? initial });
  const { errors: wrong } = form.formState;
  const [refusal, setRefusal] = useState<unknown>(null);
  const [leaving, setLeaving] = useState(false);
  const wanted = Math.min(Math.max((Number(search.get('step') ?? '1') || 1) - 1, 0), STEPS.length - 1);
  // Review is reached through the steps alone: an address cannot skip what is not filled in.
  const reviewable = SetupDefinition.safeParse(form.getValues());
  const at = STEPS[wanted] === undefined || (wanted === STEPS.length - 1 && !reviewable.success) ? 0 : wanted;
  const go = (index: number): void => { setSearch(index === 0 ? {} : { step: String(index + 1) }); };

  // Whoever goes on, or back, begins at the top of the step that came.
  const heading = useRef<HTMLHeadingElement>(null);
  const shown = useRef(at);
  useEffect(() => {
    if (shown.current !== at) heading.current?.focus();
    shown.current = at;
  }, [at]);

  // What was typed survives a reload, a step-up and a mistaken click; it is this tab's alone.
  useEffect(() => {
    const subscription = form.watch((values) => {
      keepDraft(draftKey, values);
      if (beganFrom) keepDraftBeganFrom(draftKey, beganFrom.unchangedSince);
    });
    return () => { subscription.unsubscribe(); };
  }, [form, draftKey, beganFrom]);

  // Errors appear when the step is left, and go as they are mended; on blur they would move the button from under the pointer.
  const next = form.handleSubmit(() => { go(at + 1); }, (errors) => {
    const others = STEPS.flatMap(({ fields }, index): readonly (keyof SetupDraft)[] => (index === at ? [] : fields));
    const isWrong = ({ fields }: (typeof STEPS)[number]): boolean => fields.some((field) => errors[field] !== undefined);
    if (STEPS[at] && isWrong(STEPS[at])) return form.clearErrors(others);
    // The whole is checked before the review: an earlier step may have been made wrong by a later one.
    if (at === STEPS.length - 2) return go(STEPS.findIndex(isWrong));
    form.clearErrors(others);
    go(at + 1);
  });

  // What the portal refuses of the design is said at its field, in the step that has it; the reference stands above.
  const refuse = (error: unknown): void => {
    const placed = (error instanceof ApiError ? error.problem.issues ?? [] : []).flatMap(({ path, message }) => {
      const name = path.replace(/^body\.definition\./, '') as FieldPath<SetupDraft>;
      const step = STEPS.findIndex(({ fields }) => fields.some((field) => name === field || name.startsWith(`${field}.`)));
      return step < 0 ? [] : [{ name, message, step }];
    });
    if (placed.length === 0) return;
    setRefusal(error);
    for (const { name, message } of placed) form.setError(name, { message });
    go(Math.min(...placed.map(({ step }) => step)));
  };
  const forget = (): void => { forgetDraft(draftKey); };
  const leave = (): void => {
    forget();
    void navigate(existing === undefined ? '/setups' : `/setups/${existing.setupId}`);
  };

  return (
    <Page title={title} documentTitle={`${title}: ${STEPS[at]?.title ?? ''}`} lead={lead}
      action={<Button onClick={() => { if (sessionStorage.getItem(draftKey) === null) leave(); else setLeaving(true); }}>Discard</Button>}>
      <ol className={styles.steps} aria-label="Steps of the wizard">
        {STEPS.map(({ title: name, fields }, index) => (
          <li key={name} className={mergeClasses(styles.step, index === at && styles.here)} aria-current={index === at ? 'step' : undefined}>{index + 1} {name}{fields.some((field) => wrong[field]) && <span role="img" aria-label="to mend">▲</span>}</li>
        ))}
      </ol>
      <h2 ref={heading} tabIndex={-1} className={styles.heading}>{STEPS[at]?.title}</h2>
      <FormProvider {...form}>
        {at === STEPS.length - 1 && reviewable.success ? (
          <ReviewStep existing={beganFrom} definition={reviewable.data} onBack={() => { go(at - 1); }} onApplied={forget} onRefused={refuse} />
        ) : (
          <form noValidate onSubmit={(event) => { setRefusal(null); void next(event); }}>
            <ProblemBar error={refusal} />
            {at === 0 && <GroupStep first={existing === undefined} />}
            {at === 1 && <RoleSettingsStep />}
            {at === 2 && <PeopleStep />}
            {at === 3 && <ApplicationsStep />}
            <div className={styles.foot}>
              {at > 0 && <Button onClick={() => { go(at - 1); }}>Back</Button>}
              <Button type="submit" appearance="primary">{at === 3 ? 'Review the plan' : `Next: ${STEPS[at + 1]?.title ?? ''}`}</Button>
            </div>
          </form>
        )}
      </FormProvider>
      <ConfirmDialog title="Discard what you filled in?" confirm="Discard it" open={leaving} onClose={() => { setLeaving(false); }} onConfirm={leave}>
        It is kept in this tab alone and cannot be brought back. Nothing in the tenant changes. To go on later, leave by the menu: it waits here.
      </ConfirmDialog>
    </Page>
  );
}
