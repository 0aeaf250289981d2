import { BATCH_FILE_MAX, DEFAULT_TEMPLATE, PRESETS, PresetName, type BatchFormat } from '@gatehouse/contracts';
import { Button } from '@fluentui/react-button';
import { Field } from '@fluentui/react-field';
import { Link } from '@fluentui/react-link';
import { Textarea } from '@fluentui/react-textarea';
import { tokens } from '@fluentui/react-theme';
import { makeStyles, mergeClasses } from '@griffel/react';
import { useRef, useState } from 'react';
import { useNavigate } from 'react-router';
import { Page, Section } from '../../ui/page.tsx';
import { ProblemBar } from '../../ui/problem-bar.tsx';
import { ALL_SETUPS, useCreateBatch } from './batches.queries.ts';

const useStyles = makeStyles({
  form: { display: 'grid', gridTemplateColumns: 'minmax(0, 1fr)', gap: '16px', maxWidth: '760px' },
  drop: { display: 'grid', justifyItems: 'center', gap: '8px', padding: '24px', textAlign: 'center', border: `1px dashed ${tokens.colorNeutralStrokeAccessible}`, borderRadius: tokens.borderRadiusLarge, backgroundColor: tokens.colorNeutralBackground1 },
  over: { border: `2px solid ${tokens.colorBrandStroke1}`, padding: '23px' },
  text: { margin: 0, overflowWrap: 'anywhere' },
  presets: { margin: '16px 0 0' },
  begin: { margin: 0, maxWidth: '100%', overflowX: 'auto', textAlign: 'left', padding: '8px 12px', justifySelf: 'stretch', fontFamily: tokens.fontFamilyMonospace, fontSize: tokens.fontSizeBase200, backgroundColor: tokens.colorNeutralBackground3, borderRadius: tokens.borderRadiusMedium },
  template: { '& > textarea': { fontFamily: tokens.fontFamilyMonospace, fontSize: tokens.fontSizeBase200, minHeight: '320px', maxHeight: 'none' } },
  terms: { display: 'grid', gridTemplateColumns: 'max-content minmax(0, 1fr)', gap: '4px 16px', maxWidth: '760px', margin: '8px 0 0' },
  term: { fontFamily: tokens.fontFamilyMonospace, fontSize: tokens.fontSizeBase200 },
  value: { margin: 0 },
  foot: { display: 'flex', justifyContent: 'flex-end', gap: '8px' },
});

/** A file that the default template reads as it is. */
const EXAMPLE = [
  'name,preset,owners,people,groups,days,applications',
  'FinReport-SeniorAnalyst-SecureAccess,standard,maya.lindqvist@contoso.example,"ana.costa@contoso.example;ben.novak@contoso.example",,90,Finance reports',
  'Payroll-Clerk-SecureAccess,strict,maya.lindqvist@contoso.example,,Payroll clerks,30,"Payroll;HR archive"',
  '',
].join('\r\n');

const formatOf = (fileName: string): BatchFormat | undefined => (/\.(csv|tsv|txt)$/i.test(fileName) ? 'csv' : /\.(ya?ml|json)$/i.test(fileName) ? 'yaml' : undefined);

interface Chosen { readonly fileName: string; readonly text: string; readonly format: BatchFormat | undefined }

/** Choosing a file of setups, and for CSV what a row becomes. Nothing is kept before its plan is asked for. */
export function NewBatchPage() {
  const styles = useStyles();
  const navigate = useNavigate();
  const create = useCreateBatch();
  const [chosen, setChosen] = useState<Chosen>();
  const [template, setTemplate] = useState(DEFAULT_TEMPLATE);
  const submit = (): void => {
    if (chosen?.format === undefined) return;
    create.mutate({ fileName: chosen.fileName, format: chosen.format, text: chosen.text, ...(chosen.format === 'csv' && template !== DEFAULT_TEMPLATE && { template }) }, { onSuccess: ({ id }) => void navigate(`/setups/batches/${id}`) });
  };
  return (
    <Page title="Bring in a file" lead="Each setup in the file is planned against the tenant. Nothing changes before you have reviewed the plan and applied it.">
      <form className={styles.form} noValidate onSubmit={(event) => { event.preventDefault(); submit(); }}>
        <FileField chosen={chosen} onChosen={(file) => { create.reset(); setChosen(file); }} />
        {chosen?.format === 'csv' && <Template value={template} onChange={setTemplate} />}
        <ProblemBar error={create.error} />
        <div className={styles.foot}>
          <Button onClick={() => void navigate('/setups/batches')}>Cancel</Button>
          {chosen?.format !== undefined && <Button type="submit" appearance="primary" disabled={create.isPending}>{create.isPending ? 'Reading the file…' : 'Plan the setups'}</Button>}
        </div>
      </form>
      {!chosen && (
        <Section title="What the file holds">
          <dl className={styles.terms}>
            <dt className={styles.term}>CSV</dt>
            <dd className={styles.value}>A row a setup, the first row names the columns. Several values in a cell are separated by a semicolon; where your spreadsheet has semicolons between the cells, such a cell stands in quotes. <Link inline href={`data:text/csv;charset=utf-8,${encodeURIComponent(EXAMPLE)}`} download="setups-example.csv">Download an example</Link></dd>
            <dt className={styles.term}>YAML, JSON</dt>
            <dd className={styles.value}>Many setups in full, as <Link inline href={ALL_SETUPS} download>all setups in one file</Link> are written.</dd>
          </dl>
        </Section>
      )}
    </Page>
  );
}

function FileField({ chosen, onChosen }: { chosen: Chosen | undefined; onChosen(file: Chosen): void }) {
  const styles = useStyles();
  const input = useRef<HTMLInputElement>(null);
  const [over, setOver] = useState(false);
  const take = async (file: File | undefined): Promise<void> => {
    if (!file) return;
    // Cut where it is longer than any batch, and read as it is: the portal says what is wrong with it.
    onChosen({ fileName: file.name, format: formatOf(file.name), text: await file.slice(0, BATCH_FILE_MAX + 1).text() });
  };
  const lines = chosen?.text.split('\n') ?? [];
  return (
    <div className={mergeClasses(styles.drop, over && styles.over)} role="group" aria-label="The file"
      onDragOver={(event) => { event.preventDefault(); setOver(true); }} onDragLeave={() => { setOver(false); }}
      onDrop={(event) => { event.preventDefault(); setOver(false); void take(event.dataTransfer.files[0]); }}>
      <input ref={input} type="file" hidden accept=".csv,.yaml,.yml,.json" aria-label="File of setups" onChange={({ target }) => { void take(target.files?.[0]).finally(() => { target.value = ''; }); }} />
      {chosen ? <p className={styles.text} role="status"><strong>{chosen.fileName}</strong>{chosen.format === undefined ? '' : chosen.format === 'csv' ? ' · CSV' : ' · YAML or JSON'} · {Math.max(1, Math.round(chosen.text.length / 1024))} KiB</p> : <p className={styles.text}>Drop a CSV, YAML or JSON file here, or choose it</p>}
      {chosen && chosen.format === undefined && <p className={styles.text} role="alert">A file of setups ends in .csv, .yaml, .yml or .json. Choose another one.</p>}
      {chosen?.format !== undefined && <pre className={styles.begin} tabIndex={0} role="region" aria-label="How the file begins">{lines.slice(0, 4).join('\n')}{lines.length > 4 ? '\n…' : ''}</pre>}
      <Button appearance={chosen ? 'secondary' : 'primary'} onClick={() => { input.current?.click(); }}>{chosen ? 'Choose another file' : 'Choose a file'}</Button>
    </div>
  );
}

/** What each row of the CSV file becomes. */
function Template({ value, onChange }: { value: string; onChange(value: string): void }) {
  const styles = useStyles();
  return (
    <Section title="What each row becomes" action={value !== DEFAULT_TEMPLATE && <Button size="small" onClick={() => { onChange(DEFAULT_TEMPLATE); }}>Put the default back</Button>}>
      <Field label="Template" hint="YAML of one setup. ${people} is the cell of the column people; ${days:-90} has a default for an empty cell. A cell with several values, separated by a semicolon, repeats its item; an item with an empty cell is left out.">
        <Textarea className={styles.template} resize="vertical" spellCheck={false} value={value} onChange={(_event, data) => { onChange(data.value); }} />
      </Field>
      <p className={styles.presets}>The column preset names the role settings of a row; <Link inline href={`data:text/csv;charset=utf-8,${encodeURIComponent(EXAMPLE)}`} download="setups-example.csv">download an example</Link>.</p>
      <dl className={styles.terms} aria-label="Presets of role settings">
        {PresetName.options.map((name) => [
          <dt key={name} className={styles.term}>{name}</dt>,
          <dd key={`${name} is`} className={styles.value}>{PRESETS[name].summary}</dd>,
        ])}
      </dl>
    </Section>
  );
}
