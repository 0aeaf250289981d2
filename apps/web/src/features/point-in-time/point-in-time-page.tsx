import { HistoryRegular } from '@fluentui/react-icons';
import { useInfiniteQuery } from '@tanstack/react-query';
import { useSearchParams } from 'react-router';
import { ApiError } from '../../lib/api.ts';
import { Page } from '../../ui/page.tsx';
import { ProblemBar } from '../../ui/problem-bar.tsx';
import { EmptyState, ListSkeleton } from '../../ui/states.tsx';
import { HistoryTabs } from '../../ui/tabs.tsx';
import { Answer } from './answer.tsx';
import { pointInTime, type Question } from './point-in-time.queries.ts';
import { QuestionForm, type Wrong } from './question-form.tsx';

/** Who could reach something at a time, and who had access. The whole question stands in the address, so that it can be sent to somebody. */
export function PointInTimePage() {
  const [search, setSearch] = useSearchParams();
  const asked = { to: search.get('to')?.trim() || undefined, at: search.get('at')?.trim() || undefined, known: search.get('known')?.trim() || 'today' };
  const question = asked.to !== undefined && asked.at !== undefined ? { to: asked.to, at: asked.at, known: asked.known } : undefined;
  return (
    <Page title="History" documentTitle="History: point in time">
      <HistoryTabs />
      <Asked key={`${asked.to} ${asked.at} ${asked.known}`} asked={asked} question={question} onAsk={({ to, at, known }) => { setSearch({ to, at, ...(known !== 'today' && { known }) }); }} />
    </Page>
  );
}

const EMPTY: Question = { to: '', at: '', known: 'today' };

function Asked({ asked, question, onAsk }: { asked: { to: string | undefined; at: string | undefined; known: string }; question: Question | undefined; onAsk(question: Question): void }) {
  const query = useInfiniteQuery({ ...pointInTime(question ?? EMPTY), enabled: question !== undefined });
  const again = (): void => void query.refetch();
  const wrong = wrongIn(query.error);
  const isNew = ({ to, at, known }: Question): boolean => to !== question?.to || at !== question.at || known !== question.known;
  const { to, at, known } = asked;
  return (
    <>
      <QuestionForm asked={{ ...(to !== undefined && { to }), ...(at !== undefined && { at }), known }} wrong={wrong} busy={query.isFetching} onAsk={(next) => { if (isNew(next)) onAsk(next); else again(); }} />
      {Object.keys(wrong).length === 0 && <ProblemBar error={query.error} onRetry={again} />}
      {question === undefined && (
        <EmptyState icon={<HistoryRegular />} title="Who could reach it, and who did?">
          Choose an application, a host or a group, and a time. The answer comes from what Gatehouse has seen and recorded, says what it rests on, and what is not known. As known then, it stays the same whatever is found later.
        </EmptyState>
      )}
      {query.isLoading && <ListSkeleton rows={6} />}
      {query.data && !(query.error && !query.isFetchNextPageError) && <Answer pages={query.data.pages} isToday={known === 'today'} query={query} />}
    </>
  );
}

/** What the API refuses, by field. */
function wrongIn(error: unknown): Wrong {
  const issues = error instanceof ApiError ? error.problem.issues ?? [] : [];
  return Object.fromEntries((['to', 'at', 'known'] as const).flatMap((field) => issues.filter(({ path }) => path === `query.${field}`).slice(0, 1).map(({ message }) => [field, message])));
}
