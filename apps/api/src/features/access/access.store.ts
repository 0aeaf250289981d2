import { RoleSettings, Segment, type OpenedApplication, type RequestState } from '@gatehouse/contracts';
import { violates, type Tx } from '@gatehouse/db';
import type { Published } from '../../core/destination.ts';
import { PortalError } from '../../core/errors.ts';
import { OPEN_STATES, recordedState, statesBefore, type CatalogFacts, type RecordedRequest } from './access.rules.ts';

/** A recorded request with what only the database knows of it. */
export interface StoredRequest extends RecordedRequest {
  readonly tenantId: string;
  readonly principalName: string;
  /** When Entra was last looked at for it. */
  readonly lookedAt: Date | null;
  readonly approvedBy: string | null;
  readonly approvedAt: Date | null;
}

export interface Intent {
  readonly tenantId: string;
  readonly id: string;
  readonly principalId: string;
  readonly principalName: string;
  readonly groupId: string;
  readonly action: 'activate' | 'deactivate';
  readonly minutes: number | null;
  readonly startsAt: Date | null;
  readonly justification: string | null;
  readonly ticketNumber: string | null;
  readonly ticketSystem: string | null;
  readonly createdAt: Date;
}

/** Records what is about to be asked of Entra. The database refuses a second open activation of a person for a group. */
export async function insertIntent(tx: Tx, intent: Intent): Promise<StoredRequest> {
  try {
    return await tx.accessRequest.create({ data: { ...intent, status: 'asked' } });
  } catch (error) {
    if (!violates(error, 'access_request_one_open')) throw error;
    throw new PortalError('activation-refused', { detail: 'You asked for this access already, perhaps in another window.', cause: error });
  }
}

/** Moves a request on, never back: false means that it stood there or beyond already. A failure is only one of the state it was seen in. */
export async function advance(tx: Tx, row: Pick<StoredRequest, 'tenantId' | 'id' | 'status'>, status: RequestState, data: Partial<Pick<StoredRequest, 'entraRequestId' | 'failure' | 'provisionedAt' | 'endsAt' | 'settledAt'>>): Promise<boolean> {
  const from = status === 'failed' ? [row.status] : [...statesBefore(status)];
  const { count } = await tx.accessRequest.updateMany({ where: { tenantId: row.tenantId, id: row.id, status: { in: from } }, data: { ...data, status } });
  return count === 1;
}

/** Keeps what became known of a request that stands where it stood. */
export async function refine(tx: Tx, row: Pick<StoredRequest, 'tenantId' | 'id' | 'status'>, data: Partial<Pick<StoredRequest, 'entraRequestId' | 'provisionedAt' | 'endsAt'>>): Promise<void> {
  await tx.accessRequest.updateMany({ where: { tenantId: row.tenantId, id: row.id, status: row.status }, data });
}

/** Remembers when the directory first showed the membership; the first time stands. */
export async function setMemberAt(tx: Tx, row: Pick<StoredRequest, 'tenantId' | 'id'>, at: Date): Promise<void> {
  await tx.accessRequest.updateMany({ where: { tenantId: row.tenantId, id: row.id, memberAt: null }, data: { memberAt: at } });
}

/** One request of a person by the portal's id or Entra's; nobody else's. */
export async function findOwn(db: Tx, tenantId: string, principalId: string, id: string): Promise<StoredRequest | undefined> {
  return (await db.accessRequest.findFirst({ where: { tenantId, principalId, action: 'activate', OR: [{ id }, { entraRequestId: id }] } })) ?? undefined;
}

/** A person's requests that are not at rest, and their newest. */
export async function findOwnRecent(db: Tx, tenantId: string, principalId: string, limit = 200): Promise<readonly StoredRequest[]> {
  const [open, recent] = await Promise.all([
    db.accessRequest.findMany({ where: { tenantId, principalId, status: { in: [...OPEN_STATES] } } }),
    db.accessRequest.findMany({ where: { tenantId, principalId }, orderBy: { createdAt: 'desc' }, take: limit }),
  ]);
  return [...new Map([...open, ...recent].map((row) => [row.id, row])).values()];
}

/** Everybody's requests that are not at rest, some at a time and a group's together: most are calm, and must not hide the others. */
export async function* findOpen(db: Tx, tenantId: string, atATime = 1000): AsyncGenerator<readonly StoredRequest[]> {
  let last: StoredRequest | undefined;
  do {
    const after = last && { OR: [{ groupId: { gt: last.groupId } }, { groupId: last.groupId, id: { gt: last.id } }] };
    const rows: readonly StoredRequest[] = await db.accessRequest.findMany({ where: { tenantId, status: { in: [...OPEN_STATES] }, ...after }, orderBy: [{ groupId: 'asc' }, { id: 'asc' }], take: atATime });
    yield rows;
    last = rows.length < atATime ? undefined : rows.at(-1);
  } while (last);
}

/** Entra's ids that recorded requests of a person stand for. */
export async function findEntraIds(db: Tx, tenantId: string, principalId: string): Promise<ReadonlySet<string>> {
  const rows = await db.accessRequest.findMany({ where: { tenantId, principalId, entraRequestId: { not: null } }, select: { entraRequestId: true } });
  return new Set(rows.flatMap((row) => row.entraRequestId ?? []));
}

/** What the catalog knows of these groups. */
export async function catalogOf(db: Tx, tenantId: string, groupIds: readonly string[]): Promise<ReadonlyMap<string, CatalogFacts>> {
  if (groupIds.length === 0) return new Map();
  const among = { in: [...groupIds] };
  const [groups, assignments] = await Promise.all([
    db.catalogGroup.findMany({ where: { tenantId, groupId: among } }),
    db.catalogAssignment.findMany({ where: { tenantId, groupId: among } }),
  ]);
  const applications = await db.catalogApplication.findMany({ where: { tenantId, servicePrincipalId: { in: assignments.map((row) => row.servicePrincipalId) } }, orderBy: { displayName: 'asc' } });
  return new Map(groups.map((group) => [group.groupId, {
    name: group.displayName,
    readAt: group.readAt,
    ...policyIn(group.settings),
    applications: applications
      .filter((application) => assignments.some((row) => row.groupId === group.groupId && row.servicePrincipalId === application.servicePrincipalId))
      .map((application): OpenedApplication => ({
        id: application.servicePrincipalId,
        displayName: application.displayName,
        kind: application.kind === 'quick-access' || application.kind === 'per-app' ? application.kind : 'enterprise',
        assignmentRequired: application.assignmentRequired,
        segments: Segment.array().catch([]).parse(application.segments),
      })),
  }]));
}

/** Everything that Private Access publishes, with its segments. */
export async function publishedIn(db: Tx, tenantId: string): Promise<readonly Published[]> {
  const applications = await db.catalogApplication.findMany({ where: { tenantId, kind: { in: ['per-app', 'quick-access'] } }, select: { servicePrincipalId: true, kind: true, segments: true } });
  return applications.map(({ servicePrincipalId, kind, segments }) => ({ id: servicePrincipalId, kind: kind === 'per-app' ? 'per-app' : 'quick-access', segments: Segment.array().catch([]).parse(segments) }));
}

export type KnownPolicy = Pick<CatalogFacts, 'policy' | 'authenticationContext'>;

/** What an activation will ask for, of role settings; `null` where they are not known or not understood. */
export function policyIn(stored: unknown): KnownPolicy {
  const settings = RoleSettings.safeParse(stored).data;
  if (!settings) return { policy: null, authenticationContext: undefined };
  const { activationSignIn: signIn } = settings;
  return {
    authenticationContext: signIn.kind === 'authentication-context' ? signIn.id : undefined,
    policy: {
      maxMinutes: settings.activationMaxMinutes,
      signIn: signIn.kind,
      requireJustification: settings.requireJustification,
      requireTicket: settings.requireTicket,
      requireApproval: settings.approval.required,
      approvers: settings.approval.required ? settings.approval.approvers.map(({ id, displayName }) => ({ id, displayName })) : [],
    },
  };
}

/** Whether the portal still counts the request as open. */
export const isOpen = (row: Pick<RecordedRequest, 'status'>): boolean => OPEN_STATES.includes(recordedState(row));
