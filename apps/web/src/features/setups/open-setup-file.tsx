import { SETUP_FILE_MAX } from '@gatehouse/contracts';
import { Button } from '@fluentui/react-button';
import { useRef } from 'react';
import { useReadFile } from './setups.queries.ts';
import { useWizardOpening } from './wizard-opening.tsx';

/** Opens a setup from a file in the wizard, where it is reviewed like any other. What is wrong with the file is told to `onRefused`. */
export function OpenSetupFile({ onRefused }: { onRefused(error: unknown): void }) {
  const input = useRef<HTMLInputElement>(null);
  const read = useReadFile();
  const { openWizard, dialog } = useWizardOpening('Opening the file');

  const choose = async (file: File | undefined): Promise<void> => {
    if (!file) return;
    onRefused(null);
    // Cut where it is longer than any setup: the portal says what is wrong with that.
    const text = await file.slice(0, SETUP_FILE_MAX + 1).text();
    read.mutate(text, { onSuccess: ({ definition }) => { openWizard(definition, `Filled in from ${file.name}.`); }, onError: onRefused });
  };

  return (
    <>
      <input ref={input} type="file" hidden accept=".yaml,.yml,.json" aria-label="File of a setup" onChange={({ target }) => { void choose(target.files?.[0]).finally(() => { target.value = ''; }); }} />
      <Button disabled={read.isPending} onClick={() => { input.current?.click(); }}>Open a file</Button>
      {dialog}
    </>
  );
}
