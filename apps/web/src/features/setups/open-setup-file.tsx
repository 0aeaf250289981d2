import { SETUP_FILE_MAX, type SetupDefinition } from '@gatehouse/contracts';
import { Button } from '@fluentui/react-button';
import { useRef, useState } from 'react';
import { useNavigate } from 'react-router';
import { useSession } from '../../lib/session.ts';
import { ConfirmDialog } from '../../ui/confirm-dialog.tsx';
import { draftKeyOf, keepDraft, readDraft } from './draft.ts';
import { useReadFile } from './setups.queries.ts';

/** Opens a setup from a file in the wizard, where it is reviewed like any other. What is wrong with the file is told to `onRefused`. */
export function OpenSetupFile({ onRefused }: { onRefused(error: unknown): void }) {
  const navigate = useNavigate();
  const { person } = useSession();
  const input = useRef<HTMLInputElement>(null);
  const read = useReadFile();
  const [opened, setOpened] = useState<SetupDefinition>();
  const key = draftKeyOf(person?.id, undefined);

  const fill = (definition: SetupDefinition): void => {
    keepDraft(key, definition);
    void navigate('/setups/new');
  };
  const choose = async (file: File | undefined): Promise<void> => {
    if (!file) return;
    onRefused(null);
    // Cut where it is longer than any setup: the portal says what is wrong with that.
    const text = await file.slice(0, SETUP_FILE_MAX + 1).text();
    read.mutate(text, {
      onSuccess: ({ definition }) => {
        if (readDraft(key) === undefined) fill(definition);
        else setOpened(definition);
      },
      onError: onRefused,
    });
  };

  return (
    <>
      <input ref={input} type="file" hidden accept=".yaml,.yml,.json" aria-label="File of a setup" onChange={({ target }) => { void choose(target.files?.[0]).finally(() => { target.value = ''; }); }} />
      <Button disabled={read.isPending} onClick={() => { input.current?.click(); }}>Open a file</Button>
      <ConfirmDialog title="Replace what you filled in?" confirm="Replace it" open={opened !== undefined} onClose={() => { setOpened(undefined); }} onConfirm={() => { if (opened) fill(opened); }}>
        The wizard holds a setup that you have not applied. Opening the file takes its place, and it cannot be brought back.
      </ConfirmDialog>
    </>
  );
}
