import { Button } from '@fluentui/react-button';
import { tokens } from '@fluentui/react-theme';
import { makeStyles } from '@griffel/react';
import { useQueryClient } from '@tanstack/react-query';
import { useRef, useState } from 'react';
import { pagesOf, type ListPage, type ListSource } from './history.queries.ts';

const useStyles = makeStyles({
  // Above the rows and not among them: what is said there moves none, and is in sight wherever somebody reads.
  place: { position: 'sticky', top: '32px', zIndex: 1, height: 0, display: 'flex', justifyContent: 'center' },
  // On the edge of the list, clear of the heads of its columns.
  button: { height: '24px', transform: 'translateY(-75%)', boxShadow: tokens.shadow8 },
  spoken: { position: 'absolute', width: '1px', height: '1px', overflow: 'hidden', clipPath: 'inset(50%)' },
});

interface Props<Row> {
  readonly list: ListSource<Row>;
  readonly label: string;
  /** In words, what the list lacks; empty where it lacks nothing. */
  readonly lack: string;
  readonly newest: ListPage<Row>;
}

/** Says what came in since the list was read, and is the way to let it in: it does not come by itself. */
export function Newer<Row>({ list, label, lack, newest }: Props<Row>) {
  const styles = useStyles();
  const client = useQueryClient();
  const place = useRef<HTMLDivElement>(null);
  const [wasLetIn, setWasLetIn] = useState(false);

  const letIn = async (): Promise<void> => {
    const { queryKey } = pagesOf(list);
    // An older page that is under way would bring the rows back that were there when it was asked for.
    await client.cancelQueries({ queryKey, exact: true });
    client.setQueryData(queryKey, { pages: [newest], pageParams: [null] });
    void client.invalidateQueries({ queryKey: ['history', 'count'] });
    setWasLetIn(true);
    window.scrollTo(0, 0);
    // The button goes; the keyboard goes on from where it was, into the list.
    place.current?.focus({ preventScroll: true });
  };
  return (
    <div ref={place} className={styles.place} role="group" aria-label={`${label} as they are now`} tabIndex={-1}>
      <span className={styles.spoken} role="status">{lack !== '' ? lack : wasLetIn ? 'The list is up to date' : ''}</span>
      {lack !== '' && <Button className={styles.button} appearance="primary" size="small" shape="circular" onClick={() => { void letIn(); }}>{lack}</Button>}
    </div>
  );
}
