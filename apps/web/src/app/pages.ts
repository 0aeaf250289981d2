import { lazy } from 'react';

/** Each page is a chunk of its own: what a person does not open is not loaded. */
export const AccessPage = lazy(async () => ({ default: (await import('../features/access/access-page.tsx')).AccessPage }));
export const GoPage = lazy(async () => ({ default: (await import('../features/access/go-page.tsx')).GoPage }));
export const ApprovalsPage = lazy(async () => ({ default: (await import('../features/approvals/approvals-page.tsx')).ApprovalsPage }));
export const SetupsPage = lazy(async () => ({ default: (await import('../features/setups/setups-page.tsx')).SetupsPage }));
export const SetupWizardPage = lazy(async () => ({ default: (await import('../features/setups/setup-wizard-page.tsx')).SetupWizardPage }));
export const SetupPage = lazy(async () => ({ default: (await import('../features/setups/setup-page.tsx')).SetupPage }));
export const SettingsPage = lazy(async () => ({ default: (await import('../features/setups/settings-page.tsx')).SettingsPage }));
export const RestorePage = lazy(async () => ({ default: (await import('../features/setups/restore-page.tsx')).RestorePage }));
export const RunPage = lazy(async () => ({ default: (await import('../features/setups/run-page.tsx')).RunPage }));
export const UndoPage = lazy(async () => ({ default: (await import('../features/setups/undo-page.tsx')).UndoPage }));
export const DevicePage = lazy(async () => ({ default: (await import('../features/device/device-page.tsx')).DevicePage }));
export const SessionsPage = lazy(async () => ({ default: (await import('../features/device/sessions-page.tsx')).SessionsPage }));
export const DoctorPage = lazy(async () => ({ default: (await import('../features/doctor/doctor-page.tsx')).DoctorPage }));
export const EventsPage = lazy(async () => ({ default: (await import('../features/history/events-page.tsx')).EventsPage }));
export const ActivationsPage = lazy(async () => ({ default: (await import('../features/history/activations-page.tsx')).ActivationsPage }));
export const ExportsPage = lazy(async () => ({ default: (await import('../features/history/exports-page.tsx')).ExportsPage }));
export const RetentionSection = lazy(async () => ({ default: (await import('../features/retention/retention-section.tsx')).RetentionSection }));
export const CurrentAccessPage = lazy(async () => ({ default: (await import('../features/residual/current-access-page.tsx')).CurrentAccessPage }));
export const SyncPage = lazy(async () => ({ default: (await import('../features/sync/sync-page.tsx')).SyncPage }));
export const NotificationsSection = lazy(async () => ({ default: (await import('../features/notifications/notifications-section.tsx')).NotificationsSection }));
export const BatchesPage = lazy(async () => ({ default: (await import('../features/batches/batches-page.tsx')).BatchesPage }));
export const NewBatchPage = lazy(async () => ({ default: (await import('../features/batches/new-batch-page.tsx')).NewBatchPage }));
export const BatchPage = lazy(async () => ({ default: (await import('../features/batches/batch-page.tsx')).BatchPage }));
