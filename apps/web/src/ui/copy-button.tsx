import { Button, type ButtonProps } from '@fluentui/react-button';
import { useState } from 'react';
import { copied } from '../lib/copied.ts';

/** Copies the text, and says whether it did; of another text it has said nothing yet. */
export function CopyButton({ text, label = 'Copy', done = 'Copied', size = 'small' }: { text: string; label?: string; done?: string; size?: ButtonProps['size'] }) {
  const [said, setSaid] = useState<{ of: string; word: string }>();
  const copy = async (): Promise<void> => { setSaid({ of: text, word: await copied(text) ? done : 'The browser does not allow it' }); };
  return <Button size={size} onClick={() => void copy()}>{said?.of === text ? said.word : label}</Button>;
}
