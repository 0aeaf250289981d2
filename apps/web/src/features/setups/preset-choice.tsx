import { PRESETS, PresetName, type RoleSettings } from '@gatehouse/contracts';
import { Button } from '@fluentui/react-button';
import { Field } from '@fluentui/react-field';
import { Radio, RadioGroup } from '@fluentui/react-radio';
import { tokens } from '@fluentui/react-theme';
import { makeStyles } from '@griffel/react';
import { useState } from 'react';
import { nearestPreset } from './role-settings.words.ts';

const useStyles = makeStyles({
  choice: { display: 'grid', gridTemplateColumns: 'minmax(0, 1fr)', gap: '4px' },
  radios: { display: 'grid', gridTemplateColumns: 'minmax(0, 1fr)' },
  summary: { display: 'block', fontSize: tokens.fontSizeBase200, lineHeight: tokens.lineHeightBase200, color: tokens.colorNeutralForeground2 },
  match: { display: 'flex', flexWrap: 'wrap', alignItems: 'center', gap: '4px 12px', minHeight: '32px', margin: 0 },
});

/** The three presets, each with what it asks for. */
export function PresetRadios({ label, value, onChange }: { label: string; value: PresetName | ''; onChange(name: PresetName): void }) {
  const styles = useStyles();
  return (
    <Field label={label}>
      <RadioGroup className={styles.radios} value={value} onChange={(_event, data) => { onChange(PresetName.parse(data.value)); }}>
        {PresetName.options.map((name) => <Radio key={name} value={name} label={<>{PRESETS[name].title}<span className={styles.summary}>{PRESETS[name].summary}</span></>} />)}
      </RadioGroup>
    </Field>
  );
}

/** A start for the settings: choosing a preset fills the form, and what was there comes back on request. Says which one the values are, or in what they are not. */
export function PresetChoice({ settings, onFill }: { settings: RoleSettings; onFill(settings: RoleSettings): void }) {
  const styles = useStyles();
  const [before, setBefore] = useState<RoleSettings>();
  const { name, differs } = nearestPreset(settings);
  return (
    <div className={styles.choice}>
      <PresetRadios label="Start from a preset" value={differs.length === 0 ? name : ''} onChange={(chosen) => {
        // Going from one preset to the next loses nothing.
        if (differs.length > 0) setBefore(settings);
        onFill(PRESETS[chosen].roleSettings);
      }} />
      <p className={styles.match} role="status">
        {differs.length === 0 ? `These are the settings of ${PRESETS[name].title}.` : differs.length > 3 ? `Changed from ${PRESETS[name].title} in ${differs.length} settings.` : `Changed from ${PRESETS[name].title}: ${differs.join(', ')}.`}
        {before && differs.length === 0 && <Button size="small" appearance="transparent" onClick={() => { onFill(before); setBefore(undefined); }}>Put back what was there</Button>}
      </p>
    </div>
  );
}
