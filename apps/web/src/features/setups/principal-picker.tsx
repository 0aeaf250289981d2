import type { Principal } from '@gatehouse/contracts';
import { Combobox, Option } from '@fluentui/react-combobox';
import { Field } from '@fluentui/react-field';
import { useQuery } from '@tanstack/react-query';
import { useDeferredValue, useState } from 'react';
import { ApiError } from '../../lib/api.ts';
import { principals } from './setups.queries.ts';

/** Finds people and groups by name; what is picked is handed on, and the field is free for the next. */
export function PrincipalPicker({ label, kind = 'any', exclude, hint, error, onPick }: { label: string; kind?: 'user' | 'group' | 'any'; exclude: readonly string[]; hint?: string; error?: string | undefined; onPick(principal: Principal): void }) {
  const [text, setText] = useState('');
  const [open, setOpen] = useState(false);
  const query = useQuery(principals(useDeferredValue(text), kind));
  const found = query.data?.principals.filter(({ id }) => !exclude.includes(id)) ?? [];
  const trouble = query.error instanceof ApiError ? query.error.problem.detail ?? query.error.problem.title : undefined;
  return (
    <Field label={label} hint={error === undefined && trouble === undefined ? hint : undefined} validationMessage={error ?? trouble}>
      <Combobox
        freeform open={open && text.trim() !== ''} onOpenChange={(_event, data) => { setOpen(data.open); }} value={text} selectedOptions={[]} placeholder="Type a name"
        onChange={(event) => { setText(event.target.value); setOpen(true); }}
        onOptionSelect={(_event, data) => {
          const picked = found.find(({ id }) => id === data.optionValue);
          if (!picked) return;
          onPick(picked);
          setText('');
        }}
      >
        {found.map((principal) => (
          <Option key={principal.id} value={principal.id} text={principal.displayName}>{`${principal.displayName} · ${principal.kind === 'group' ? 'group' : principal.detail ?? ''}`}</Option>
        ))}
        {text.trim() !== '' && query.isFetching && <Option disabled value="" text="">Searching</Option>}
        {text.trim() !== '' && query.isSuccess && !query.isFetching && found.length === 0 && <Option disabled value="" text="">Nobody by that name</Option>}
      </Combobox>
    </Field>
  );
}
