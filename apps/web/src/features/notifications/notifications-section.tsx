import { ListNotifications, ResendNotification, type Answer, type DeadLetter } from '@gatehouse/contracts';
import { Button } from '@fluentui/react-button';
import { tokens } from '@fluentui/react-theme';
import { makeStyles } from '@griffel/react';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { call } from '../../lib/api.ts';
import { formatInstant } from '../../lib/dates.ts';
import { useMutation } from '../../lib/mutation.ts';
import { useNow, usePermits } from '../../lib/session.ts';
import { DataTable, type Column } from '../../ui/data-table.tsx';
import { Section } from '../../ui/page.tsx';
import { ProblemBar } from '../../ui/problem-bar.tsx';

const useStyles = makeStyles({
  text: { margin: 0 },
  given: { margin: '16px 0 8px', fontWeight: tokens.fontWeightSemibold },
});

const notifications = { queryKey: ['notifications'], refetchInterval: 10_000, queryFn: ({ signal }: { signal: AbortSignal }) => call(ListNotifications, {}, signal) };

/** How approvers are told of requests, and what could not be delivered; who may, has it sent again. */
export function NotificationsSection() {
  const styles = useStyles();
  const now = useNow();
  const client = useQueryClient();
  const mayResend = usePermits('setup:manage');
  const query = useQuery(notifications);
  const resend = useMutation({
    mutationFn: (notificationId: string) => call(ResendNotification, { params: { notificationId }, body: {} }),
    onSettled: () => client.invalidateQueries({ queryKey: notifications.queryKey }),
  });
  const columns: readonly Column<DeadLetter>[] = [
    { id: 'to', header: 'To', cell: ({ channel, recipient }) => recipient ?? TO[channel] },
    { id: 'about', header: 'About', cell: ({ requesterName, groupName }) => `${requesterName} · ${groupName}` },
    { id: 'why', header: 'Why not', cell: ({ error, tries }) => `${error} ${tries === 1 ? 'Tried once.' : `Tried ${tries} times.`}` },
    { id: 'given-up', header: 'Given up', cell: ({ givenUpAt }) => formatInstant(givenUpAt, now) },
    { id: 'again', header: 'Send again', cell: (letter) => <Again letter={letter} now={now} may={mayResend} isPending={resend.isPending} onSend={() => { resend.mutate(letter.id); }} /> },
  ];
  return (
    <Section title="Notifications">
      <ProblemBar error={query.error} onRetry={() => void query.refetch()} />
      <ProblemBar error={resend.error} />
      {query.data && <p className={styles.text}>{stateOf(query.data)}</p>}
      {query.data && query.data.dead > 0 && (
        <>
          <p className={styles.given}>{query.data.dead === 1 ? '1 could not be delivered' : `${query.data.dead} could not be delivered`}{query.data.dead > query.data.deadLetters.length ? `; the newest ${query.data.deadLetters.length} are listed` : ''}</p>
          <DataTable label="Could not be delivered" columns={columns} rows={query.data.deadLetters} rowKey={({ id }) => id} />
        </>
      )}
    </Section>
  );
}

const TO: Record<DeadLetter['channel'], string> = { approvers: 'The approvers, by mail', mail: 'An approver, by mail', webhook: 'The webhook' };

function Again({ letter, now, may, isPending, onSend }: { letter: DeadLetter; now: Date; may: boolean; isPending: boolean; onSend(): void }) {
  if (Date.parse(letter.lapsesAt) <= now.getTime()) return 'The request has lapsed';
  if (!may) return 'A SetupAdmin can';
  return <Button size="small" disabledFocusable={isPending} aria-label={`Send again to ${letter.recipient ?? TO[letter.channel]}: ${letter.requesterName}`} onClick={onSend}>Send again</Button>;
}

function stateOf({ mail, webhook, waiting, sent }: Answer<typeof ListNotifications>): string {
  const ways = [...(mail ? ['by mail'] : []), ...(webhook === 'off' ? [] : [webhook === 'teams' ? 'in Teams' : 'by webhook'])];
  const told = ways.length === 0 ? 'Off: no mail server and no webhook is set, so approvers see requests in the portal and in Entra’s own mails.' : `Approvers are told of requests ${ways.join(' and ')}.`;
  return ways.length === 0 && waiting === 0 && sent === 0 ? told : `${told} ${sent} sent in the last 24 h, ${waiting} still to send.`;
}
