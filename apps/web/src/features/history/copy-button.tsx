import { Button } from '@fluentui/react-button';
import { useState } from 'react';

/** Says whether it was copied: a browser may refuse it, and without https there is no clipboard at all. */
export function CopyButton({ text, label = 'Copy' }: { text: string; label?: string }) {
  const [word, setWord] = useState(label);
  const copy = async (): Promise<void> => {
    try {
      await navigator.clipboard.writeText(text);
      setWord('Copied');
    } catch {
      setWord('The browser does not allow it');
    }
  };
  return <Button size="small" onClick={() => void copy()}>{word}</Button>;
}
