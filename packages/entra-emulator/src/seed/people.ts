import type { User } from '../tenant.ts';

/** One line a person: given name, surname, job title, department; and what sets them apart. */
export interface Person {
  readonly name: readonly [givenName: string, surname: string];
  readonly title: string;
  readonly department: string;
  readonly directoryRoles?: readonly string[];
  readonly disabled?: boolean;
  /** A guest's own address. */
  readonly guest?: string;
}

/** The administrator of either seed. */
export const MAYA: Person = {
  name: ['Maya', 'Lindqvist'], title: 'Identity engineer', department: 'IT',
  directoryRoles: ['Privileged Role Administrator', 'Groups Administrator', 'Application Administrator', 'Global Secure Access Administrator', 'Authentication Administrator'],
};

/** Everybody at Contoso. */
export const PEOPLE: readonly Person[] = [
  MAYA,
  { name: ['Ana', 'Costa'], title: 'Financial analyst', department: 'Finance' },
  { name: ['Ben', 'Novak'], title: 'Systems analyst', department: 'IT' },
  { name: ['Omar', 'Haddad'], title: 'Head of controlling', department: 'Finance' },
  { name: ['Ines', 'Moreau'], title: 'Internal auditor', department: 'Audit', directoryRoles: ['Global Reader', 'Reports Reader'] },

  { name: ['Erik', 'Sandberg'], title: 'Head of IT', department: 'IT', directoryRoles: ['Global Administrator'] },
  { name: ['Yuki', 'Tanaka'], title: 'Infrastructure engineer', department: 'IT' },
  { name: ['Łukasz', 'Wójcik'], title: 'Infrastructure engineer', department: 'IT' },
  { name: ['Priya', 'Raman'], title: 'Network engineer', department: 'IT' },
  { name: ['Tomás', 'Herrera'], title: 'Help desk lead', department: 'IT' },
  { name: ['Zoë', 'Peeters'], title: 'Help desk agent', department: 'IT' },
  { name: ['Samuel', 'Osei'], title: 'Help desk agent', department: 'IT' },

  { name: ['Sofia', 'Marchetti'], title: 'Chief financial officer', department: 'Finance' },
  { name: ['Jürgen', 'Weiß'], title: 'Controller', department: 'Finance' },
  { name: ['Fatima', 'Zahra'], title: 'Controller', department: 'Finance' },
  { name: ['Liam', 'O’Connor'], title: 'Accountant', department: 'Finance' },
  { name: ['Mei', 'Chen'], title: 'Treasury analyst', department: 'Finance' },
  { name: ['Rafael', 'Duarte'], title: 'Financial analyst', department: 'Finance' },
  { name: ['Camille', 'Roux'], title: 'Accountant', department: 'Finance' },

  { name: ['Helena', 'Kowalska'], title: 'Head of people', department: 'People' },
  { name: ['Nora', 'Bergström'], title: 'Payroll specialist', department: 'People' },
  { name: ['David', 'Mensah'], title: 'Payroll specialist', department: 'People' },
  { name: ['Chloé', 'Lefèvre'], title: 'People partner', department: 'People' },
  { name: ['İlker', 'Yılmaz'], title: 'People partner', department: 'People' },

  { name: ['Arjun', 'Mehta'], title: 'Engineering manager', department: 'Engineering' },
  { name: ['Katarína', 'Horváthová'], title: 'Build engineer', department: 'Engineering' },
  { name: ['Mateo', 'Silva'], title: 'Build engineer', department: 'Engineering' },
  { name: ['Grace', 'Kim'], title: 'Release manager', department: 'Engineering' },
  { name: ['Søren', 'Østergaard'], title: 'Software engineer', department: 'Engineering' },
  { name: ['Olivia', 'Brown'], title: 'Software engineer', department: 'Engineering' },
  { name: ['Đorđe', 'Petrović'], title: 'Software engineer', department: 'Engineering' },
  { name: ['Hiroshi', '山田'], title: 'Software engineer', department: 'Engineering' },

  { name: ['Emma', 'Fischer'], title: 'Account manager', department: 'Sales' },
  { name: ['Noah', 'van Dijk'], title: 'Account manager', department: 'Sales' },
  { name: ['Isabella', 'Romano'], title: 'Sales operations', department: 'Sales' },
  { name: ['Kwame', 'Boateng'], title: 'Regional lead', department: 'Sales' },

  { name: ['Lucía', 'Fernández'], title: 'General counsel', department: 'Legal' },
  { name: ['Peter', 'Vogel'], title: 'Data protection officer', department: 'Legal' },
  { name: ['Wei', 'Zhang'], title: 'Security analyst', department: 'Security', directoryRoles: ['Security Reader'] },
  { name: ['Rachel', 'Stein'], title: 'Head of security', department: 'Security', directoryRoles: ['Security Administrator'] },

  { name: ['Viktor', 'Dahl'], title: 'Infrastructure engineer', department: 'IT', disabled: true },
  { name: ['Nadia', 'Rahman'], title: 'External auditor', department: 'Audit', guest: 'nadia.rahman@fabrikam.example' },
  { name: ['Marco', 'Ricci'], title: 'Contractor', department: 'Engineering', guest: 'marco.ricci@northwind.example' },
];

export const nameOf = ({ name }: Person): string => name.join(' ');

export function userOf(person: Person, id: string, tenantDomain: string, since: Date): User {
  const [givenName, surname] = person.name;
  const mail = person.guest ?? `${ascii(givenName)}.${ascii(surname)}@${tenantDomain}`;
  return {
    id,
    displayName: nameOf(person),
    givenName,
    surname,
    userPrincipalName: person.guest === undefined ? mail : `${mail.replace('@', '_')}#EXT#@${tenantDomain}`,
    mail,
    jobTitle: person.title,
    department: person.department,
    accountEnabled: person.disabled !== true,
    userType: person.guest === undefined ? 'Member' : 'Guest',
    directoryRoles: [...(person.directoryRoles ?? [])],
    signInSessionsValidFromDateTime: since.toISOString(),
  };
}

/** Letters that do not come apart into a plain one and a mark. */
const PLAIN: Readonly<Record<string, string>> = { ł: 'l', ø: 'o', ß: 'ss', đ: 'd', ı: 'i', æ: 'ae', 山: 'yama', 田: 'da' };

const ascii = (name: string): string =>
  [...name.toLowerCase().normalize('NFD')].map((letter) => PLAIN[letter] ?? letter).join('').replaceAll(/[^a-z]/g, '');
