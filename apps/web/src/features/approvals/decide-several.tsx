import { DecideApproval, type ApprovalItem } from '@gatehouse/contracts';
import { Button } from '@fluentui/react-button';
import { Checkbox } from '@fluentui/react-checkbox';
import { Field } from '@fluentui/react-field';
import { Input } from '@fluentui/react-input';
import { tokens } from '@fluentui/react-theme';
import { makeStyles } from '@griffel/react';
import { zodResolver } from '@hookform/resolvers/zod';
import { useState } from 'react';
import { Controller, useForm } from 'react-hook-form';
import { z } from 'zod';
import { useDrafts } from '../../lib/drafts.ts';
import { useDecideSeveral, type End } from './approvals.queries.ts';

const NARROW = '@media (max-width: 720px)';

const useStyles = makeStyles({
  bar: { position: 'sticky', top: 0, zIndex: 1, boxSizing: 'border-box', maxWidth: '880px', marginBottom: '16px', padding: '8px 16px 8px 8px', display: 'grid', gridTemplateColumns: 'auto minmax(0, 1fr)', gap: '8px', alignItems: 'start', border: `1px solid ${tokens.colorNeutralStroke2}`, borderRadius: tokens.borderRadiusLarge, backgroundColor: tokens.colorNeutralBackground1, [NARROW]: { gridTemplateColumns: 'minmax(0, 1fr)', position: 'static', padding: '8px' } },
  form: { display: 'grid', gridTemplateColumns: 'auto minmax(0, 1fr) auto', gap: '8px', alignItems: 'start', [NARROW]: { gridTemplateColumns: 'minmax(0, 1fr) minmax(0, 1fr)', alignItems: 'stretch' } },
  reason: { minWidth: 0, '& > input': { minWidth: 0, width: '100%' }, [NARROW]: { gridColumnStart: 1, gridColumnEnd: 3, gridRowStart: 1 } },
  hint: { margin: 0, alignSelf: 'center', color: tokens.colorNeutralForeground2 },
});

const Reason = DecideApproval.body.pick({ justification: true });

/** What was selected before verifying with Microsoft Entra, with the reason. */
export const SEVERAL = 'approvals.several';
export const Several = Reason.extend({ ids: z.array(z.string()) });

/** Decides what is selected with one reason. Each request has its own end, and says so. */
export function DecideSeveral({ items, selected, reason, onSelect, onEnds }: { items: readonly ApprovalItem[]; selected: readonly ApprovalItem[]; reason: string; onSelect(ids: readonly string[]): void; onEnds(decision: 'approve' | 'deny', ends: readonly End[]): void }) {
  const styles = useStyles();
  const drafts = useDrafts();
  const decide = useDecideSeveral();
  const [pressed, setPressed] = useState<'approve' | 'deny'>();
  const { control, handleSubmit, reset, formState: { errors } } = useForm({ resolver: zodResolver(Reason), defaultValues: { justification: reason } });
  const what = selected.length === 1 ? '1 request' : `${selected.length} requests`;

  const send = (decision: 'approve' | 'deny') => handleSubmit(({ justification }) => {
    setPressed(decision);
    decide.mutate({ items: selected, decision, justification }, {
      onSuccess: (ends) => {
        const rest = ends.filter(({ outcome }) => outcome === 'untried').map(({ item }) => item.id);
        if (rest.length > 0) drafts.keep(SEVERAL, { ids: rest, justification });
        else {
          drafts.forget(SEVERAL);
          reset({ justification: '' });
        }
        onEnds(decision, ends);
      },
    });
  });

  return (
    <div className={styles.bar} role="group" aria-label="Decide several">
      <Checkbox
        label={selected.length === 0 ? 'Select all' : `${selected.length} of ${items.length} selected`}
        checked={selected.length === 0 ? false : selected.length === items.length ? true : 'mixed'}
        onChange={(_event, { checked }) => { onSelect(checked === true ? items.map(({ id }) => id) : []); }}
      />
      {selected.length === 0 ? <p className={styles.hint}>Select requests to decide them with one reason.</p> : (
        <form noValidate className={styles.form} onSubmit={(event) => { event.preventDefault(); }}>
          <Button appearance="primary" disabledFocusable={decide.isPending} onClick={(event) => void send('approve')(event)}>{decide.isPending && pressed === 'approve' ? `Approving ${what}` : `Approve ${what}`}</Button>
          <Field className={styles.reason} validationMessage={errors.justification?.message}>
            <Controller name="justification" control={control} render={({ field }) => <Input {...field} aria-label={`One reason for ${what}`} placeholder="One reason for all of them" autoComplete="off" maxLength={500} />} />
          </Field>
          <Button disabledFocusable={decide.isPending} onClick={(event) => void send('deny')(event)}>{decide.isPending && pressed === 'deny' ? `Denying ${what}` : `Deny ${what}`}</Button>
        </form>
      )}
    </div>
  );
}
