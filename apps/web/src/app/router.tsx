import type { Permission } from '@gatehouse/contracts';
import { createBrowserRouter, Navigate, type RouteObject } from 'react-router';
import { usePermits } from '../lib/session.ts';
import { BrokenPortal, ErrorPage, NotFoundPage, NotPermittedPage } from './error-page.tsx';
import { AccessPage, ActivationsPage, ApprovalsPage, BatchesPage, BatchPage, CurrentAccessPage, DevicePage, DoctorPage, EventsPage, ExceptionsPage, ExportsPage, GoPage, InsightsPage, LedgerSection, NewBatchPage, NotificationsSection, PointInTimePage, RestorePage, RetentionSection, RunPage, SessionsPage, SettingsPage, SetupPage, SetupsPage, SetupWizardPage, SyncPage, TimelinePage, UndoPage } from './pages.ts';
import { Shell } from './shell.tsx';

/** A page for those who have the permission; everyone else reads why it is not theirs. */
function Only({ permission, role, children }: { permission: Permission; role: string; children: React.ReactNode }) {
  return usePermits(permission) ? children : <NotPermittedPage role={role} />;
}

const admin = (page: React.ReactNode) => <Only permission="setup:manage" role="SetupAdmin">{page}</Only>;
const auditor = (page: React.ReactNode) => <Only permission="history:read" role="Auditor">{page}</Only>;

/** The first page is the one that the person comes for. */
function Home() {
  const [setsUp, audits] = [usePermits('setup:manage'), usePermits('history:read')];
  return <Navigate to={setsUp ? '/setups' : audits ? '/history/activations' : '/access'} replace />;
}

export const routes: RouteObject[] = [
  {
    element: <Shell />,
    errorElement: <BrokenPortal />,
    // A page that breaks leaves the frame around it standing.
    children: [{ errorElement: <ErrorPage />, children: [
      { index: true, element: <Home /> },
      { path: 'access', element: <AccessPage /> },
      { path: 'doctor', element: <DoctorPage /> },
      { path: 'go', element: <GoPage /> },
      { path: 'go/:application', element: <GoPage /> },
      { path: 'approvals', element: <ApprovalsPage /> },
      { path: 'setups', element: admin(<SetupsPage />) },
      { path: 'setups/new', element: admin(<SetupWizardPage />) },
      { path: 'setups/settings', element: admin(<SettingsPage />) },
      { path: 'setups/batches', element: admin(<BatchesPage />) },
      { path: 'setups/batches/new', element: admin(<NewBatchPage />) },
      { path: 'setups/batches/:batchId', element: admin(<BatchPage />) },
      { path: 'setups/:setupId', element: admin(<SetupPage />) },
      { path: 'setups/:setupId/edit', element: admin(<SetupWizardPage />) },
      { path: 'setups/:setupId/restore', element: admin(<RestorePage />) },
      { path: 'runs/:runId', element: admin(<RunPage />) },
      { path: 'runs/:runId/undo', element: admin(<UndoPage />) },
      { path: 'device', element: <Only permission="device:allow" role="SetupAdmin"><DevicePage /></Only> },
      { path: 'current-access', element: <Only permission="current-access:read" role="SetupAdmin or Auditor"><CurrentAccessPage /></Only> },
      { path: 'sessions', element: <SessionsPage /> },
      { path: 'history', element: auditor(<EventsPage />) },
      { path: 'history/activations', element: auditor(<ActivationsPage />) },
      { path: 'history/timeline', element: auditor(<TimelinePage />) },
      { path: 'history/insights', element: auditor(<InsightsPage />) },
      { path: 'history/point-in-time', element: auditor(<PointInTimePage />) },
      { path: 'history/exceptions', element: auditor(<ExceptionsPage />) },
      { path: 'history/exports', element: <Only permission="history:export" role="Auditor"><ExportsPage /></Only> },
      { path: 'sync', element: <Only permission="sync:read" role="SetupAdmin or Auditor"><SyncPage><LedgerSection /><RetentionSection /><NotificationsSection /></SyncPage></Only> },
      { path: '*', element: <NotFoundPage /> },
    ] }],
  },
];

export const createRouter = () => createBrowserRouter(routes);
