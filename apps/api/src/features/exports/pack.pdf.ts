import { createRequire } from 'node:module';
import PDFDocument from 'pdfkit';
import { drawable, filterInWords, type PackFacts } from './pack.rules.ts';

const fonts = createRequire(import.meta.url);
const REGULAR = fonts.resolve('dejavu-fonts-ttf/ttf/DejaVuSans.ttf');
const BOLD = fonts.resolve('dejavu-fonts-ttf/ttf/DejaVuSans-Bold.ttf');

const INK = '#1b1a19';
const QUIET = '#605e5c';
const BAR = '#2b6cb0';
const ACTIVATED = '#b7791f';
const MARGIN = 56;
const WIDTH = 595.28 - 2 * MARGIN;

/** The summary of a pack: figures and charts, and what people wrote as plain text. */
export function summaryPdf(facts: PackFacts): Promise<Buffer> {
  const document = new PDFDocument({ size: 'A4', margin: MARGIN, info: { Title: 'Gatehouse evidence pack', Author: 'Gatehouse', CreationDate: new Date(facts.askedAt), ModDate: new Date(facts.askedAt) } });
  document.registerFont('regular', REGULAR).registerFont('bold', BOLD);
  const chunks: Buffer[] = [];
  document.on('data', (chunk: Buffer) => chunks.push(chunk));
  const done = new Promise<Buffer>((resolve, reject) => { document.on('end', () => { resolve(Buffer.concat(chunks)); }).on('error', reject); });

  const heading = (text: string): void => {
    if (document.y > 640) document.addPage();
    document.moveDown(1).font('bold').fontSize(12).fillColor(INK).text(text, MARGIN).moveDown(0.3);
  };
  const fact = (name: string, value: string): void => {
    document.font('bold').fontSize(9).fillColor(QUIET).text(`${name}  `, MARGIN, document.y, { continued: true }).font('regular').fillColor(INK).text(value);
  };

  document.font('bold').fontSize(20).fillColor(INK).text('Evidence pack');
  document.font('regular').fontSize(10).fillColor(QUIET).text(drawable(facts.tenantName)).moveDown(0.8);
  fact('Asked by', `${drawable(facts.askedBy)}, ${facts.askedAt.slice(0, 16).replace('T', ' ')} UTC`);
  fact('Holds', drawable(filterInWords(facts.filter), 400));
  fact('Events', facts.events.toLocaleString('en-GB'));
  fact('Activations', facts.activations.toLocaleString('en-GB'));
  fact('Export', facts.exportId);
  heading('Coverage');
  document.font('regular').fontSize(9).fillColor(INK).text(facts.coverageStatement, MARGIN, document.y, { width: WIDTH });

  heading('Events and activations by month');
  monthChart(document, facts.months);
  heading('Activations by weekday and hour (UTC)');
  heatMap(document, facts.hours);
  for (const [title, rows] of [['What happened', facts.kinds.map(({ kind, events }) => ({ name: kind, events }))], ['People, by events', facts.people], ['Groups, by events', facts.groups]] as const) {
    heading(title);
    bars(document, rows);
  }
  document.end();
  return done;
}

type Document = InstanceType<typeof PDFDocument>;

function monthChart(document: Document, months: PackFacts['months']): void {
  if (months.length === 0) return void document.font('regular').fontSize(9).fillColor(QUIET).text('No events.');
  const shown = months.slice(-36);
  const height = 90;
  const top = document.y + 4;
  const most = Math.max(1, ...shown.map(({ events }) => events));
  const step = WIDTH / shown.length;
  shown.forEach(({ month, events, activated }, index) => {
    const x = MARGIN + index * step;
    const bar = (events / most) * height;
    document.rect(x + 1, top + height - bar, Math.max(1, step - 2), bar).fill(BAR);
    const of = (activated / most) * height;
    document.rect(x + 1, top + height - of, Math.max(1, step - 2), of).fill(ACTIVATED);
    if (shown.length <= 12 || index % Math.ceil(shown.length / 12) === 0) document.font('regular').fontSize(6).fillColor(QUIET).text(month, x, top + height + 3, { width: Math.max(step, 30), lineBreak: false });
  });
  document.y = top + height + 14;
  document.font('regular').fontSize(7).fillColor(QUIET).text(`Highest month: ${most.toLocaleString('en-GB')} events. The darker yellow part is activations.${months.length > shown.length ? ` The last ${shown.length} of ${months.length} months.` : ''}`, MARGIN, document.y);
}

const DAYS = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'];

function heatMap(document: Document, hours: PackFacts['hours']): void {
  const top = document.y + 2;
  const most = Math.max(1, ...hours.flat());
  const cell = (WIDTH - 30) / 24;
  const height = 11;
  DAYS.forEach((day, row) => {
    document.font('regular').fontSize(7).fillColor(QUIET).text(day, MARGIN, top + row * height + 2, { lineBreak: false });
    for (let hour = 0; hour < 24; hour += 1) {
      const count = hours[row]?.[hour] ?? 0;
      document.rect(MARGIN + 30 + hour * cell, top + row * height, cell - 1, height - 1).fillOpacity(count === 0 ? 0.06 : 0.2 + 0.8 * (count / most)).fill(BAR).fillOpacity(1);
    }
  });
  for (let hour = 0; hour < 24; hour += 6) document.font('regular').fontSize(6).fillColor(QUIET).text(`${String(hour).padStart(2, '0')}:00`, MARGIN + 30 + hour * cell, top + 7 * height + 2, { lineBreak: false });
  document.y = top + 7 * height + 12;
  document.x = MARGIN;
}

function bars(document: Document, rows: readonly { readonly name: string; readonly events: number }[]): void {
  if (rows.length === 0) return void document.font('regular').fontSize(9).fillColor(QUIET).text('None.', MARGIN);
  const most = Math.max(1, ...rows.map(({ events }) => events));
  for (const { name, events } of rows) {
    if (document.y > 760) document.addPage();
    const y = document.y;
    document.font('regular').fontSize(8).fillColor(INK).text(drawable(name, 40), MARGIN, y, { width: 190, lineBreak: false, ellipsis: true });
    document.rect(MARGIN + 200, y + 1, Math.max(1, (events / most) * (WIDTH - 260)), 7).fill(BAR);
    document.fillColor(INK).text(events.toLocaleString('en-GB'), MARGIN + WIDTH - 55, y, { width: 55, align: 'right', lineBreak: false });
    document.y = y + 12;
  }
  document.x = MARGIN;
}
