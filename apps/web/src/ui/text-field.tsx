import { Field } from '@fluentui/react-field';
import { Input } from '@fluentui/react-input';
import { Textarea } from '@fluentui/react-textarea';
import { makeStyles } from '@griffel/react';
import { useController, useFormContext, type FieldPath, type FieldValues } from 'react-hook-form';

// The native field asks for twenty characters' width; in a narrow column it has to do with less.
const useStyles = makeStyles({ field: { width: '100%', minWidth: 0, '& > input': { minWidth: 0, width: '100%' } } });

/**
 * A line, or some lines, of text in a form. Fluent's fields hold a value of their own, so they are bound by
 * react-hook-form's controller and never by `register`, whose writes they would not see.
 */
export function TextField<Values extends FieldValues>({ name, label, required = false, hint, placeholder, lines = false }: { name: FieldPath<Values>; label: string; required?: boolean; hint?: string; placeholder?: string; lines?: boolean }) {
  const styles = useStyles();
  const { control } = useFormContext<Values>();
  const { field, fieldState } = useController({ control, name });
  const bound = { className: styles.field, name: field.name, ref: field.ref, value: String(field.value ?? ''), onBlur: field.onBlur, onChange: (_event: unknown, data: { value: string }) => { field.onChange(data.value); }, ...(placeholder !== undefined && { placeholder }) };
  return (
    <Field label={label} required={required} validationMessage={fieldState.error?.message} hint={fieldState.error ? undefined : hint}>
      {lines ? <Textarea {...bound} resize="vertical" /> : <Input {...bound} />}
    </Field>
  );
}
