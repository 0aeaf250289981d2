import { ListApplications, ListConnectorGroups, PlanSetup, PROPOSED_ROLE_SETTINGS, SearchGroups, SearchPrincipals } from '@gatehouse/contracts';
import { Link, Route, Routes } from 'react-router';
import { ANA, answers, renderPage, type Handler } from '../../../testing/testing.tsx';
import type { SetupDraft } from '../draft.ts';
import { SetupWizardPage } from '../setup-wizard-page.tsx';
import { aPlan, GUID } from '../../../testing/samples.ts';

export const MAYA = { ...ANA, person: { id: 'm', displayName: 'Maya Lindqvist', userPrincipalName: 'maya@contoso.example', roles: ['SetupAdmin' as const] } };

/** What the wizard keeps in this tab of a new setup of Maya's. */
export const DRAFT_KEY = 'gatehouse.setup.m.new';

/** A setup that is filled in. */
export const filled = (more: Partial<SetupDraft> = {}): SetupDraft => ({
  group: { kind: 'new', displayName: 'FinReport-SeniorAnalyst-SecureAccess', mailNickname: 'FinReport-SeniorAnalyst-SecureAccess', description: '' },
  roleSettings: PROPOSED_ROLE_SETTINGS,
  eligible: [{ principalId: GUID(1), kind: 'user', displayName: 'Ana Costa', days: 180 }],
  applications: [{ kind: 'existing', servicePrincipalId: GUID(2), displayName: 'Finance reports', applicationKind: 'per-app' }],
  ...more,
});

export const directory: Handler[] = [
  answers(SearchPrincipals, { principals: [{ id: GUID(1), kind: 'user', displayName: 'Ana Costa', detail: 'ana@contoso.example' }, { id: GUID(4), kind: 'group', displayName: 'Analysts', detail: null }] }),
  answers(SearchGroups, { groups: [{ id: GUID(5), displayName: 'Payroll-Clerk-SecureAccess', description: null, managedByPim: true, unfit: null }, { id: GUID(6), displayName: 'Payroll mail', description: null, managedByPim: false, unfit: 'A Microsoft 365 group cannot be managed by PIM here.' }] }),
  answers(ListApplications, { applications: [{ id: GUID(2), displayName: 'Finance reports', kind: 'per-app', assignmentRequired: true, segments: [{ host: 'fin-rep.corp', ports: ['443'], protocol: 'tcp' }] }] }),
  answers(ListConnectorGroups, { connectorGroups: [{ id: GUID(3), displayName: 'EU-1', region: 'eur', live: 2, total: 2 }] }),
  answers(PlanSetup, aPlan()),
];

const pages = (
  <>
    <Link to="/elsewhere">Elsewhere</Link>
    <Routes>
      <Route path="/elsewhere" element={<Link to="/setups/new">To the wizard</Link>} />
      <Route path="/setups" element={<p>all setups</p>} />
      <Route path="/setups/new" element={<SetupWizardPage />} />
      <Route path="/setups/:setupId" element={<p>the setup</p>} />
      <Route path="/setups/:setupId/edit" element={<SetupWizardPage />} />
      <Route path="/runs/:runId" element={<p>the run</p>} />
    </Routes>
  </>
);

/** Opens the wizard at a step, with what the tab kept. */
export function openWizard({ step = 1, draft, path = '/setups/new', api = [] }: { step?: number | string; draft?: SetupDraft; path?: string; api?: Handler[] } = {}) {
  if (draft) sessionStorage.setItem(DRAFT_KEY, JSON.stringify(draft));
  return renderPage(pages, { path: `${path}?step=${step}`, session: MAYA, api: [...api, ...directory] });
}
