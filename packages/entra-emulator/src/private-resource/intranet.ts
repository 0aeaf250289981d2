import { html, type Html } from './html.ts';

/** What stands on a page inside the company: a sentence, and some rows of invented figures. */
interface Intranet {
  readonly about: string;
  readonly caption: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

const INTRANETS: ReadonlyMap<string, Intranet> = new Map([
  ['Finance reports', {
    about: 'Group close, by legal entity. Figures in thousand euros, before audit.',
    caption: 'Month-end close',
    columns: ['Entity', 'Revenue', 'Result', 'Status'],
    rows: [
      ['Contoso GmbH', '18,420', '2,311', 'Closed'],
      ['Contoso Iberia', '7,904', '688', 'Closed'],
      ['Contoso Nordic', '5,237', '−142', 'In review'],
      ['Contoso Inc.', '22,615', '3,070', 'Open'],
    ],
  }],
  ['Payroll', {
    about: 'Next pay run, by country. Amounts are totals; single payslips open from the file.',
    caption: 'Pay run in preparation',
    columns: ['Country', 'People', 'Total', 'State'],
    rows: [
      ['Germany', '214', '€ 1,082,300', 'Checked'],
      ['Portugal', '96', '€ 298,140', 'Checked'],
      ['Sweden', '58', 'kr 2,611,000', '3 exceptions'],
      ['United States', '131', '$ 904,220', 'Draft'],
    ],
  }],
  ['Build servers', {
    about: 'Agents of the build farm. Logins are recorded.',
    caption: 'Build agents',
    columns: ['Agent', 'Queue', 'Load', 'Last job'],
    rows: [
      ['linux-01', 'release', '71 %', 'green'],
      ['linux-02', 'main', '12 %', 'green'],
      ['win-01', 'installer', '0 %', 'red'],
      ['arm-01', 'nightly', '44 %', 'green'],
    ],
  }],
  ['HR archive', {
    about: 'Closed personnel files. Each opening is logged with the ticket.',
    caption: 'Files opened last',
    columns: ['File', 'Kind', 'Years', 'Keep until'],
    rows: [
      ['HR-0417', 'Contract', '2009–2019', '2029'],
      ['HR-0952', 'Pension', '1998–2021', '2046'],
      ['HR-1180', 'Contract', '2015–2024', '2034'],
      ['HR-1203', 'Dispute', '2022–2023', '2033'],
    ],
  }],
  ['Domain admin jump host', {
    about: 'Sessions to the domain controllers start here and are recorded.',
    caption: 'Domain controllers',
    columns: ['Server', 'Site', 'Replication', 'Patched'],
    rows: [
      ['dc01', 'Berlin', 'in step', '12 days ago'],
      ['dc02', 'Berlin', 'in step', '12 days ago'],
      ['dc03', 'Lisbon', '4 min behind', '40 days ago'],
    ],
  }],
  ['Quick Access', {
    about: 'Tools that everybody at the help desk uses.',
    caption: 'Open tickets',
    columns: ['Queue', 'Open', 'Oldest', 'On duty'],
    rows: [
      ['Workplace', '31', '3 days', 'yes'],
      ['Network', '8', '1 day', 'yes'],
      ['Printing', '4', '6 days', 'no'],
    ],
  }],
]);

const ANY: Intranet = {
  about: 'The start page of an application inside the company.',
  caption: 'Latest records',
  columns: ['Record', 'Owner', 'Value', 'State'],
  rows: [
    ['R-1041', 'Sales', '12,480', 'Open'],
    ['R-1042', 'Supply', '7,115', 'Closed'],
    ['R-1043', 'Service', '3,902', 'Closed'],
  ],
};

/** The page inside, for an application of the demo or any other. */
export function intranet(application: string): Html {
  const { about, caption, columns, rows } = INTRANETS.get(application) ?? ANY;
  return html`<p>${about}</p>
<table>
<caption>${caption} <span class="quiet">(invented)</span></caption>
<thead><tr>${columns.map((column) => html`<th scope="col">${column}</th>`)}</tr></thead>
<tbody>${rows.map(([name = '', ...values]) => html`<tr><th scope="row">${name}</th>${values.map((value) => html`<td>${value}</td>`)}</tr>`)}</tbody>
</table>`;
}
