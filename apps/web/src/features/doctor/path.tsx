import type { PathDiagnosis } from '@gatehouse/contracts';
import { Button } from '@fluentui/react-button';
import { tokens } from '@fluentui/react-theme';
import { makeStyles, mergeClasses } from '@griffel/react';
import { formatSeconds } from '../../lib/dates.ts';
import { useSession } from '../../lib/session.ts';
import { CopyButton } from '../../ui/copy-button.tsx';
import { Section } from '../../ui/page.tsx';
import { StatusBadge } from '../../ui/states.tsx';
import { LINKS, STATES } from './doctor.words.ts';

const useStyles = makeStyles({
  verdict: { padding: '16px', borderRadius: tokens.borderRadiusLarge, border: `1px solid ${tokens.colorNeutralStroke2}`, borderLeftWidth: '4px', backgroundColor: tokens.colorNeutralBackground1, display: 'grid', gap: '8px' },
  bad: { borderLeftColor: tokens.colorPaletteRedBorder2 },
  warn: { borderLeftColor: tokens.colorPaletteDarkOrangeBorder2 },
  good: { borderLeftColor: tokens.colorPaletteGreenBorder2 },
  heading: { margin: 0, fontSize: tokens.fontSizeBase400, lineHeight: tokens.lineHeightBase400, fontWeight: tokens.fontWeightSemibold, overflowWrap: 'anywhere' },
  text: { margin: 0, overflowWrap: 'anywhere' },
  actions: { display: 'flex', flexWrap: 'wrap', alignItems: 'center', gap: '8px 16px' },
  list: { listStyle: 'none', margin: 0, padding: 0, border: `1px solid ${tokens.colorNeutralStroke2}`, borderRadius: tokens.borderRadiusLarge, backgroundColor: tokens.colorNeutralBackground1 },
  link: {
    display: 'grid', gridTemplateColumns: '112px 184px minmax(0, 1fr)', gap: '2px 16px', alignItems: 'baseline', padding: '10px 16px', ':not(:last-child)': { borderBottom: `1px solid ${tokens.colorNeutralStroke3}` },
    '@media (max-width: 720px)': { gridTemplateColumns: 'minmax(0, 1fr)' },
  },
  here: { boxShadow: `inset 4px 0 0 ${tokens.colorPaletteRedBorder2}` },
  name: { margin: 0, fontSize: tokens.fontSizeBase300, lineHeight: tokens.lineHeightBase300, fontWeight: tokens.fontWeightSemibold },
  quiet: { color: tokens.colorNeutralForeground2 },
  never: { margin: 0, paddingLeft: '20px', color: tokens.colorNeutralForeground2, fontSize: tokens.fontSizeBase200, lineHeight: tokens.lineHeightBase300 },
});

/** What is in the way and what mends it, then every link of the path. */
export function Path({ diagnosis }: { diagnosis: PathDiagnosis }) {
  const styles = useStyles();
  return (
    <>
      <Verdict diagnosis={diagnosis} />
      <Section title="The path">
        <ol className={styles.list} aria-label="Links of the path">
          {diagnosis.links.map(({ link, state, sentence, mend }) => (
            <li key={link} className={mergeClasses(styles.link, link === diagnosis.broken && styles.here)}>
              <StatusBadge tone={STATES[state].tone}>{STATES[state].word}</StatusBadge>
              <h3 className={styles.name}>{LINKS[link]}</h3>
              <p className={mergeClasses(styles.text, state === 'not-reached' && styles.quiet)}>{sentence}{mend === null || link === diagnosis.broken ? '' : ` ${mend}`}</p>
            </li>
          ))}
        </ol>
      </Section>
      <Section title="What is not looked at">
        <ul className={styles.never}>{diagnosis.neverSeen.map((sentence) => <li key={sentence}>{sentence}</li>)}</ul>
      </Section>
    </>
  );
}

function Verdict({ diagnosis }: { diagnosis: PathDiagnosis }) {
  const styles = useStyles();
  const { person } = useSession();
  const { application, broken, keepsOut, links, canActivate, group, destination: { host, port } } = diagnosis;
  const where = `${host.includes(':') ? `[${host}]` : host}:${port}`;
  const own = person?.id.toLowerCase() === diagnosis.person.id.toLowerCase();
  const whom = own ? 'you' : diagnosis.person.displayName;
  const found = links.find(({ link }) => link === broken);
  const unknown = links.filter(({ state }) => state === 'not-known');
  const advice = unknown.flatMap(({ mend }) => mend ?? [])[0];
  return (
    <section role="status" aria-label="What was found" className={mergeClasses(styles.verdict, keepsOut ? styles.bad : broken !== null || unknown.length > 0 ? styles.warn : styles.good)}>
      {found ? (
        <>
          <StatusBadge tone={keepsOut ? 'bad' : 'warn'}>{`${LINKS[found.link]}: broken`}</StatusBadge>
          <h2 className={styles.heading}>{keepsOut ? `${where} does not open for ${whom}` : `${where} opens for everybody`}</h2>
          <p className={styles.text}>{found.sentence}</p>
          <p className={styles.text}><strong>What to do:</strong> {found.mend}</p>
        </>
      ) : (
        <>
          <StatusBadge tone={unknown.length > 0 ? 'warn' : 'good'}>{unknown.length > 0 ? 'Nothing broken was seen' : 'In order'}</StatusBadge>
          <h2 className={styles.heading}>{unknown.length === 0 ? `The path to ${where} is in order for ${whom}` : `Nothing on the path to ${where} is broken that could be seen for ${whom}`}</h2>
          <p className={styles.text}>{unknown.length === 0 ? `It leads to ${application?.displayName ?? 'its application'}.` : `Not known: ${unknown.map(({ link }) => LINKS[link].toLowerCase()).join(', ')}.`}</p>
          {advice !== undefined && <p className={styles.text}><strong>What to do:</strong> {advice}</p>}
        </>
      )}
      {/* A whole page load, as from any other site: the panel then opens after the page has taken the focus, and not before. */}
      <div className={styles.actions}>
        {canActivate && group && <Button as="a" appearance="primary" href={`/access?activate=${group.id}`}>Activate {group.displayName}</Button>}
        <CopyAddress diagnosis={diagnosis} own={own} />
        <span className={styles.quiet}>Read {formatSeconds(diagnosis.readAt)}</span>
      </div>
    </section>
  );
}

/** An address that shows the same person's path to whoever may see it. */
function CopyAddress({ diagnosis: { destination, person }, own }: { diagnosis: PathDiagnosis; own: boolean }) {
  const to = `${destination.host.includes(':') ? `[${destination.host}]` : destination.host}:${destination.port}`;
  const address = `${window.location.origin}/doctor?${new URLSearchParams({ to, ...(destination.protocol === 'udp' && { protocol: 'udp' }), person: person.userPrincipalName })}`;
  return <CopyButton text={address} label={own ? 'Copy a link for an admin' : 'Copy a link'} done="Link copied" size="medium" />;
}
