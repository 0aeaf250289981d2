import { applicationSlug, type AccessEntry } from '@gatehouse/contracts';
import { Button } from '@fluentui/react-button';
import { Dialog, DialogActions, DialogBody, DialogContent, DialogSurface, DialogTitle } from '@fluentui/react-dialog';
import { CopyRegular, LinkRegular } from '@fluentui/react-icons';
import { tokens } from '@fluentui/react-theme';
import { makeStyles } from '@griffel/react';
import { useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { generate } from 'lean-qr';
import { toSvgPath } from 'lean-qr/extras/svg';
import { copied } from '../../lib/copied.ts';
import { useFocusBack } from '../../ui/focus-back.ts';
import { myAccess } from './access.queries.ts';
import { segmentsOf, titleOf } from './access.words.ts';
import { targetsOf } from './try-links.tsx';

/** What readers of QR codes ask for around it, in modules. */
const QUIET = 4;

const useStyles = makeStyles({
  button: { minWidth: '24px', padding: 0 },
  content: { display: 'grid', gap: '16px' },
  application: { display: 'grid', gridTemplateColumns: '144px minmax(0, 1fr)', gap: '16px', alignItems: 'center', '@media (max-width: 480px)': { gridTemplateColumns: 'minmax(0, 1fr)' } },
  code: { width: '144px', height: '144px', display: 'block', backgroundColor: '#fff', borderRadius: tokens.borderRadiusMedium },
  links: { display: 'grid', gap: '8px', minWidth: 0 },
  name: { margin: 0, fontSize: tokens.fontSizeBase300, fontWeight: tokens.fontWeightSemibold, overflowWrap: 'anywhere' },
  link: { display: 'flex', alignItems: 'center', gap: '8px', minWidth: 0 },
  address: { flex: 1, minWidth: 0, fontFamily: tokens.fontFamilyMonospace, fontSize: tokens.fontSizeBase200, overflowWrap: 'anywhere', userSelect: 'all' },
  copied: { margin: 0, minHeight: '20px', color: tokens.colorNeutralForeground2 },
  lead: { margin: 0 },
});

/** The address that opens the application's activation, for whoever is eligible. */
export function applicationLink({ id, displayName }: AccessEntry['applications'][number], among: readonly AccessEntry[]): string {
  const slug = applicationSlug(displayName);
  const named = new Set(among.flatMap(({ applications }) => applications).filter((other) => applicationSlug(other.displayName) === slug).map((other) => other.id));
  return `${window.location.origin}/go/${slug === '' || named.size > 1 ? id : encodeURIComponent(slug)}`;
}

/** A link to the access, as text and as a QR code; nothing where it opens no application. */
export function ShareButton({ entry }: { entry: AccessEntry }) {
  const styles = useStyles();
  const [open, setOpen] = useState(false);
  if (entry.applications.length === 0) return null;
  return (
    <>
      <Button appearance="transparent" size="small" className={styles.button} icon={<LinkRegular />} aria-label={`Link to ${titleOf(entry)}`} title="Link and QR code" onClick={() => { setOpen(true); }} />
      {open && <ShareDialog entry={entry} onClose={() => { setOpen(false); }} />}
    </>
  );
}

function ShareDialog({ entry, onClose }: { entry: AccessEntry; onClose(): void }) {
  const styles = useStyles();
  useFocusBack(true);
  const [news, setNews] = useState('');
  const all = useQueryClient().getQueryData(myAccess().queryKey)?.entries ?? [entry];
  const copy = async (text: string) => { setNews(await copied(text) ? 'Copied.' : 'The browser did not let it be copied: select the address instead.'); };
  const hosts = targetsOf(segmentsOf(entry)).map(({ host, port }) => `${window.location.origin}/go?to=${encodeURIComponent(host)}:${port}`);
  return (
    <Dialog open onOpenChange={(_event, data) => { if (!data.open) onClose(); }}>
      <DialogSurface>
        <DialogBody>
          <DialogTitle>Link to {titleOf(entry)}</DialogTitle>
          <DialogContent className={styles.content}>
            <p className={styles.lead}>Who opens it signs in and finds the activation ready. It gives nobody access who is not eligible.</p>
            {entry.applications.map((application) => {
              const link = applicationLink(application, all);
              return (
                <section key={application.id} className={styles.application} aria-label={application.displayName}>
                  <QrCode text={link} label={`QR code of the link to ${application.displayName}`} />
                  <div className={styles.links}>
                    <h3 className={styles.name}>{application.displayName}</h3>
                    <Address text={link} onCopy={(text) => void copy(text)} />
                  </div>
                </section>
              );
            })}
            {hosts.length > 0 && <section className={styles.links} aria-label="By host and port">
              <h3 className={styles.name}>By host and port</h3>
              {hosts.map((link) => <Address key={link} text={link} onCopy={(text) => void copy(text)} />)}
            </section>}
            <p className={styles.copied} role="status">{news}</p>
          </DialogContent>
          <DialogActions><Button appearance="primary" onClick={onClose}>Close</Button></DialogActions>
        </DialogBody>
      </DialogSurface>
    </Dialog>
  );
}

function Address({ text, onCopy }: { text: string; onCopy(text: string): void }) {
  const styles = useStyles();
  return (
    <div className={styles.link}>
      <span className={styles.address}>{text}</span>
      <Button size="small" icon={<CopyRegular />} aria-label={`Copy ${text}`} onClick={() => { onCopy(text); }}>Copy</Button>
    </div>
  );
}

/** Black on white in dark mode too: some readers find no other. */
function QrCode({ text, label }: { text: string; label: string }) {
  const code = generate(text);
  const size = code.size + 2 * QUIET;
  return (
    <svg role="img" aria-label={label} className={useStyles().code} viewBox={`${-QUIET} ${-QUIET} ${size} ${size}`} shapeRendering="crispEdges">
      <path d={toSvgPath(code)} fill="#000" />
    </svg>
  );
}
