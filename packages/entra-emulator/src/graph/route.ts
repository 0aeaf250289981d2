import type { Delays } from '../delays.ts';
import type { Tenant, User } from '../tenant.ts';

/** Who calls Graph, as the access token says. */
export type Caller =
  | { readonly kind: 'user'; readonly user: User; readonly appId: string; readonly scopes: readonly string[]; readonly acrs: readonly string[]; readonly amr: readonly string[]; readonly authTime: number; readonly cp1: boolean }
  | { readonly kind: 'app'; readonly appId: string; readonly roles: readonly string[] };

/** What a Graph call's handler may use. Handlers are synchronous: the tenant is one object, and a call is one turn. */
export interface GraphCall {
  readonly version: 'v1.0' | 'beta';
  readonly tenant: Tenant;
  readonly caller: Caller;
  readonly now: Date;
  readonly delays: Delays;
  /** Path below the version, as called. */
  readonly path: string;
  readonly params: Readonly<Record<string, string>>;
  /** Query options by name, `$` included; names that a route does not list are refused before the handler. */
  readonly query: Readonly<Record<string, string>>;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: unknown;
  /** Base address of this version, for `@odata.context` and `@odata.nextLink`. */
  readonly base: string;
  /** A new GUID; deterministic per seed. */
  newId(): string;
  /** Writes a directory audit entry (see `audits.ts`). */
  audit(event: AuditInput): void;
}

export interface AuditInput {
  readonly loggedByService: 'PIM' | 'Core Directory';
  readonly category: 'GroupManagement' | 'ApplicationManagement' | 'RoleManagement' | 'UserManagement';
  readonly activityDisplayName: string;
  readonly operationType: string;
  readonly result?: 'success' | 'failure';
  readonly resultReason?: string;
  /** Default: the caller. */
  readonly initiatedBy?: { readonly user: User } | { readonly app: string } | { readonly service: 'Azure AD PIM' };
  readonly targetResources: readonly Record<string, unknown>[];
  readonly additionalDetails?: readonly { readonly key: string; readonly value: string }[];
  readonly correlationId?: string;
  /** When it happened, if not now (expiry is found later than it occurs). */
  readonly at?: Date;
}

export interface GraphAnswer {
  readonly status: number;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  /** Whether the call changed the tenant's configuration. The front finds it out; it is written down, and not sent. */
  readonly effect?: boolean;
}

export interface GraphRoute {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'PUT' | 'DELETE';
  /** OData path below the version with `{name}` for a segment, such as `/groups/{id}/members/$ref` or `/groups(uniqueName='{uniqueName}')`. */
  readonly path: string;
  readonly versions: readonly ('v1.0' | 'beta')[];
  /** Any one of these delegated scopes; `null` where Graph does not support delegated calls. An inner array means all of it. */
  readonly delegated: readonly (string | readonly string[])[] | null;
  /** Any one of these application permissions; `null` where Graph does not support app-only calls. */
  readonly application: readonly (string | readonly string[])[] | null;
  /**
   * Directory roles of which a delegated caller must hold one. Absent: none is needed.
   * `or` lets a caller pass without a role, such as the owner of the group concerned.
   */
  readonly roles?: { readonly anyOf: readonly string[]; readonly or?: (call: GraphCall) => boolean };
  /** Query options that this call knows. Others are refused with 400. */
  readonly query?: readonly string[];
  /** Throws `GraphRefusal` for an error answer. */
  handle(call: GraphCall): GraphAnswer;
}

/** An error answer of Graph: `{"error":{code,message,innerError}}`. */
export class GraphRefusal extends Error {
  readonly status: number;
  readonly code: string;
  readonly headers: Readonly<Record<string, string>>;

  constructor(status: number, code: string, message: string, headers: Readonly<Record<string, string>> = {}) {
    super(message);
    this.status = status;
    this.code = code;
    this.headers = headers;
  }
}

/** Declares routes; it only types the array, so that a file of routes reads as a table. */
export const graphRoutes = (routes: readonly GraphRoute[]): readonly GraphRoute[] => routes;
