import { Agent, fetch } from 'undici';

/** Sends over connections that are kept open, until `renew` says that they lead to a front end that cannot serve. */
export function createConnection() {
  let agent = new Agent();
  return {
    fetch: (url: string, init: Parameters<typeof fetch>[1]) => fetch(url, { ...init, dispatcher: agent }),
    /** The next attempt is made over a new connection; what is under way on the old ones ends there. */
    renew(): void {
      const old = agent;
      agent = new Agent();
      // It closes when its last answer is read; that it cannot is nobody's loss.
      old.close().catch(() => {});
    },
  };
}

export type Connection = ReturnType<typeof createConnection>;
