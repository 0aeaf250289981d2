import { JSDOM } from 'jsdom';

const TABLE = 'urn:oasis:names:tc:opendocument:xmlns:table:1.0';
const OFFICE = 'urn:oasis:names:tc:opendocument:xmlns:office:1.0';
const TEXT = 'urn:oasis:names:tc:opendocument:xmlns:text:1.0';

/** A cell of a spreadsheet: `type` as the file says it (string, float, date, boolean …), none where it is empty. */
export interface SheetCell { readonly type: string | undefined; readonly formula: string | undefined; readonly text: string }

/** The first sheet of a flat OpenDocument file: rows of cells, without the empty ones that fill it up at the end. */
export function readSheet(xml: string): SheetCell[][] {
  const { document } = new JSDOM(xml, { contentType: 'text/xml' }).window;
  const table = document.getElementsByTagNameNS(TABLE, 'table')[0];
  if (!table) throw new Error('There is no sheet in this file');
  const rows: SheetCell[][] = [];
  for (const row of table.getElementsByTagNameNS(TABLE, 'table-row')) {
    const cells = [...row.children].filter(({ localName }) => localName === 'table-cell').flatMap((cell) => repeated(cell, 'number-columns-repeated', cellOf(cell)));
    rows.push(...repeated(row, 'number-rows-repeated', cells.slice(0, 1 + cells.findLastIndex(({ type, text }) => type !== undefined || text !== ''))));
  }
  return rows.slice(0, 1 + rows.findLastIndex((cells) => cells.length > 0));
}

/** What fills a sheet to its edge is one cell said a thousand times: of empty ones no more than a table of ours is wide. */
const MOST_EMPTY = 100;
function repeated<T>(element: Element, name: string, one: T): T[] {
  const times = Number(element.getAttributeNS(TABLE, name) ?? '1');
  return Array.from({ length: Math.min(times, MOST_EMPTY) }, () => one);
}

function cellOf(cell: Element): SheetCell {
  const paragraphs = [...cell.children].filter(({ namespaceURI, localName }) => namespaceURI === TEXT && localName === 'p');
  return { type: cell.getAttributeNS(OFFICE, 'value-type') ?? undefined, formula: cell.getAttributeNS(TABLE, 'formula') ?? undefined, text: paragraphs.map(textOf).join('\n') };
}

/** Spaces, tabs and line ends are elements of their own; what stands around them is text. */
function textOf(node: Node): string {
  return [...node.childNodes].map((child) => {
    if (child.nodeType === child.TEXT_NODE) return child.textContent ?? '';
    switch ((child as Element).localName) {
      case 's': return ' '.repeat(Number((child as Element).getAttributeNS(TEXT, 'c') ?? '1'));
      case 'tab': return '\t';
      case 'line-break': return '\n';
      default: return textOf(child);
    }
  }).join('');
}
