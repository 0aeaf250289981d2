import type { SetupDefinition } from '@gatehouse/contracts';
import { Button } from '@fluentui/react-button';
import { tokens } from '@fluentui/react-theme';
import { makeStyles } from '@griffel/react';
import { useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { Link, useNavigate, useParams } from 'react-router';
import { formatInstant } from '../../lib/dates.ts';
import { useNow } from '../../lib/session.ts';
import { Hosts } from '../../ui/hosts.tsx';
import { Page, Section } from '../../ui/page.tsx';
import { ProblemBar } from '../../ui/problem-bar.tsx';
import { ListSkeleton, StatusBadge } from '../../ui/states.tsx';
import { describeRoleSettings } from './describe.ts';
import { Differences } from './differences.tsx';
import { Health, isCompared } from './health.tsx';
import { runState, SetupState } from './run-state.tsx';
import { fileOf, setup } from './setups.queries.ts';
import { useWizardOpening } from './wizard-opening.tsx';
import { isUnknown, UnknownPage } from '../../ui/unknown-page.tsx';

const useStyles = makeStyles({
  actions: { display: 'flex', flexWrap: 'wrap', gap: '8px' },
  state: { display: 'flex', flexWrap: 'wrap', alignItems: 'center', gap: '4px 16px', margin: 0 },
  path: { display: 'flex', flexWrap: 'wrap', alignItems: 'stretch', gap: '8px 24px', margin: 0, padding: 0, listStyle: 'none' },
  // The arrow is a picture of the order that the list already says.
  node: { position: 'relative', minWidth: 0, flex: '1 1 200px', ':not(:last-child)::after': { content: '"→" / ""', position: 'absolute', right: '-20px', top: 'calc(50% - 10px)', color: tokens.colorNeutralForeground3, '@media (max-width: 1180px)': { display: 'none' } }, padding: '12px 16px', border: `1px solid ${tokens.colorNeutralStroke2}`, borderRadius: tokens.borderRadiusLarge, backgroundColor: tokens.colorNeutralBackground1 },
  kind: { margin: '0 0 4px', fontSize: tokens.fontSizeBase200, color: tokens.colorNeutralForeground2 },
  text: { margin: 0, overflowWrap: 'anywhere' },
  list: { margin: 0, padding: 0, listStyle: 'none' },
  run: { display: 'grid', gridTemplateColumns: '136px 168px minmax(0, 1fr)', alignItems: 'center', gap: '4px 16px', padding: '8px 0', '@media (max-width: 560px)': { gridTemplateColumns: 'max-content minmax(0, 1fr)' }, fontVariantNumeric: 'tabular-nums', ':not(:last-child)': { borderBottom: `1px solid ${tokens.colorNeutralStroke3}` } },
  link: { color: tokens.colorBrandForegroundLink },
});

/** One setup: the path from people to application, and its runs. */
export function SetupPage() {
  const styles = useStyles();
  const { setupId = '' } = useParams();
  const navigate = useNavigate();
  const now = useNow();
  const query = useQuery(setup(setupId));
  const one = query.data;
  const { openWizard, dialog } = useWizardOpening('The clone');
  if (isUnknown(query.error)) return <UnknownPage what="setup" />;
  return (
    <Page title={one?.name ?? 'Setup'} action={one && (
      <div className={styles.actions}>
        <Button onClick={() => { openWizard({ ...one.definition, group: { kind: 'new', displayName: '', mailNickname: '', description: '' } }, `A copy of ${one.name}: name the group that it is for.`); }}>Clone</Button>
        <Button as="a" href={fileOf(one.id, 'yaml')} download>Download YAML</Button>
        <Button as="a" href={fileOf(one.id, 'json')} download>Download JSON</Button>
        <Button appearance={isCompared(one) && (one.drift?.differences ?? 0) > 0 ? 'secondary' : 'primary'} onClick={() => void navigate(`/setups/${one.id}/edit`)}>{one.retiredAt === null ? 'Change or check it' : 'Apply it again'}</Button>
      </div>
    )}>
      <ProblemBar error={query.error} onRetry={() => void query.refetch()} />
      {query.isPending && <ListSkeleton rows={4} />}
      {one && (
        <>
          <div className={styles.state}>{isCompared(one) && <Health drift={one.drift} />}<SetupState lastRun={one.lastRun} retiredAt={one.retiredAt} />{one.retiredAt !== null && <span>What its runs made is undone. It can be applied again as it is here.</span>}</div>
          {isCompared(one) && <Differences setupId={one.id} inRun={one.lastRun?.status === 'running'} />}
          <Section title="The path">
            <ol className={styles.path}>
              <Node kind="Eligible" lines={one.definition.eligible.map(({ displayName, days }) => `${displayName}, ${days === null ? 'permanent' : `${days} days`}`)} />
              <Node kind="Group" lines={[one.name, ...(one.definition.owners.length > 0 ? [`owned by ${one.definition.owners.map(({ displayName }) => displayName).join(', ')}`] : [])]} />
              <Node kind="To activate" lines={describeRoleSettings(one.definition.roleSettings)} />
              {one.definition.ownerRoleSettings && <Node kind="To activate as owner" lines={describeRoleSettings(one.definition.ownerRoleSettings)} />}
              <Node kind="Opens" lines={one.definition.applications.map(opened)} />
            </ol>
          </Section>
          <Section title="Runs">
            {one.runs.length === 0 ? <p>It was never applied.</p> : (
              <ul className={styles.list}>
                {one.runs.map((each) => <li key={each.id} className={styles.run}><Link className={styles.link} to={`/runs/${each.id}`}>{formatInstant(each.createdAt, now)}</Link> <StatusBadge tone={runState(each).tone}>{runState(each).word}</StatusBadge> <span>by {each.actorName}{each.undoes !== null ? ', an undo' : each.restores ? ', a restore' : each.undoneBy !== null ? <>, <Link className={styles.link} to={`/runs/${each.undoneBy}`}>see its undo</Link></> : ''}</span></li>)}
              </ul>
            )}
          </Section>
        </>
      )}
      {dialog}
    </Page>
  );
}

function Node({ kind, lines }: { kind: string; lines: readonly ReactNode[] }) {
  const styles = useStyles();
  return (
    <li className={styles.node}>
      <p className={styles.kind}>{kind}</p>
      {lines.map((line, index) => <div key={index} className={styles.text}>{line}</div>)}
    </li>
  );
}

const opened = (application: SetupDefinition['applications'][number]): ReactNode => (application.kind === 'existing' ? application.displayName : (
  <>{application.displayName}<div><Hosts segments={application.segments.map(({ host, ports, protocol }) => ({ host, ports: ports.split(',').map((one) => one.trim()), protocol }))} /></div></>
));
