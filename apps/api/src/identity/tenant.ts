import { z } from 'zod';
import type { Tenant } from '../config.ts';
import type { Clock } from '../core/clock.ts';
import type { Authority } from './tokens.ts';

/** Where the tenant is and by what clock it runs, whichever it is: nothing else in the product knows. */
export interface TenantConnection {
  readonly authority: Authority;
  /** Graph without version. */
  readonly graphUrl: string;
  readonly clock: Clock;
  /** Only of the emulated tenant. */
  readonly emulated: EmulatedTenant | undefined;
  close(): void;
}

export interface EmulatedTenant {
  readonly url: string;
  readonly displayName: string;
  readonly accounts: readonly { readonly upn: string; readonly displayName: string; readonly hint: string }[];
  aheadSeconds(): number;
  advance(minutes: number): Promise<void>;
}

const Registration = z.object({
  tenantId: z.guid(), tenantName: z.string(), clientId: z.string(), clientSecret: z.string(),
  accounts: z.array(z.object({ upn: z.string(), displayName: z.string(), hint: z.string() })),
});
const ClockState = z.object({ offsetMs: z.number() });

export const systemClock: Clock = { now: () => new Date() };

/** A real tenant: its clock is everybody's. */
export function connectEntra(tenant: Extract<Tenant, { kind: 'entra' }>): TenantConnection {
  const { tenantId, clientId, credential, loginUrl, graphUrl } = tenant;
  return { authority: { tenantId, clientId, credential, loginUrl, graphResource: graphUrl, metadata: undefined }, graphUrl, clock: systemClock, emulated: undefined, close: () => {} };
}

/**
 * The emulated tenant at `url`: unmodified msal-node believes it speaks to Microsoft, for only the metadata's addresses
 * differ (OAUTH.md §1), and the portal's clock follows the tenant's.
 */
export async function connectEmulator(url: string): Promise<TenantConnection> {
  const registration = Registration.parse(await getJson(`${url}/_emulator/registration`));
  const { tenantId, clientId, clientSecret } = registration;
  const metadata = JSON.stringify(await getJson(`${url}/${tenantId}/v2.0/.well-known/openid-configuration`));
  let state = ClockState.parse(await getJson(`${url}/_emulator/clock`));
  const abort = new AbortController();
  void followClock(`${url}/_emulator/clock/events`, abort.signal, (next) => { state = next; });

  return {
    authority: {
      tenantId, clientId, credential: { kind: 'secret', secret: clientSecret }, loginUrl: 'https://login.microsoftonline.com',
      graphResource: 'https://graph.microsoft.com', metadata,
    },
    graphUrl: url,
    clock: { now: () => new Date(Date.now() + state.offsetMs) },
    emulated: {
      url,
      displayName: registration.tenantName,
      accounts: registration.accounts,
      aheadSeconds: () => Math.round(state.offsetMs / 1000),
      async advance(minutes) {
        const answer = await fetch(`${url}/_emulator/clock`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ advance: `PT${minutes}M` }) });
        state = ClockState.parse(await answer.json());
      },
    },
    close: () => abort.abort(),
  };
}

async function getJson(url: string): Promise<unknown> {
  const answer = await fetch(url, { signal: AbortSignal.timeout(10_000) });
  if (!answer.ok) throw new Error(`${url} answered ${answer.status}`);
  return answer.json();
}

/** Reads the emulator's clock events for as long as there is an emulator; a broken stream is opened again. */
async function followClock(url: string, signal: AbortSignal, take: (state: z.infer<typeof ClockState>) => void): Promise<void> {
  while (!signal.aborted) {
    try {
      const answer = await fetch(url, { signal, headers: { accept: 'text/event-stream' } });
      let text = '';
      for await (const chunk of answer.body?.pipeThrough(new TextDecoderStream()) ?? []) {
        text += chunk;
        const events = text.split('\n\n');
        text = events.pop() ?? '';
        for (const event of events) {
          const data = event.split('\n').find((line) => line.startsWith('data:'))?.slice(5);
          if (data !== undefined) take(ClockState.parse(JSON.parse(data)));
        }
      }
    } catch {
      // The emulator is away or going; whoever calls it hears of that by the call itself.
    }
    if (!signal.aborted) await new Promise<void>((resolve) => { setTimeout(resolve, 500).unref(); });
  }
}
