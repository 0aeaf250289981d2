import { BeginDeviceSignIn, ClaimDeviceSession, SignOut, type Answer } from '@gatehouse/contracts';
import type { KeptSessions } from './kept-sessions.ts';
import { connect, isPassing, Refusal, type Portal } from './portal.ts';
import { CommandError, EXIT, instant, plain, type Terminal } from './terminal.ts';

type Claim = Answer<typeof ClaimDeviceSession>;
type Granted = Extract<Claim, { state: 'granted' }>;

interface SignInDeps {
  readonly terminal: Terminal;
  readonly origin: string;
  readonly sessions: KeptSessions;
}

/** Signs this machine in by way of its person's browser (RFC 8628), and keeps the token. */
export async function signIn({ terminal, origin, sessions }: SignInDeps, deviceName: string): Promise<{ exit: number; json: unknown }> {
  // Before anybody is sent to a browser: a file that cannot be read would lose what comes back.
  sessions.of(origin);
  const portal = connect(terminal, origin);
  const begun = await portal.call(BeginDeviceSignIn, { body: { deviceName } });
  terminal.err(`Open ${plain(begun.verificationUri)} in a browser, sign in, and enter the code ${plain(begun.userCode)}.`);
  terminal.err(`Or open ${plain(begun.verificationUriComplete)} and compare the code. It is good for ${Math.round(begun.expiresInSeconds / 60)} min.`);
  const { token, expiresAt, person } = await granted(terminal, portal, begun);
  sessions.keep(origin, { token, expiresAt, userPrincipalName: person.userPrincipalName });
  terminal.out(`Signed in at ${origin} as ${plain(person.displayName)} (${plain(person.userPrincipalName)}) until ${instant(expiresAt)}.`);
  return { exit: EXIT.nothing, json: { portal: origin, person, expiresAt } };
}

async function granted(terminal: Terminal, portal: Portal, begun: Answer<typeof BeginDeviceSignIn>): Promise<Granted> {
  const until = terminal.now().getTime() + begun.expiresInSeconds * 1000;
  let intervalSeconds = begun.intervalSeconds;
  for (;;) {
    await terminal.sleep(intervalSeconds * 1000);
    const answer = await claimed(portal, begun.deviceCode);
    if (answer === undefined) intervalSeconds *= 2;
    else if (answer.state === 'granted') return answer;
    else if (answer.state === 'slow-down') intervalSeconds = answer.intervalSeconds;
    else if (answer.state === 'access-denied') throw new CommandError('Nobody is signed in: the sign-in was denied in the portal.');
    if (answer?.state === 'expired' || terminal.now().getTime() >= until) throw new CommandError('Nobody allowed the sign-in in time. Run gatehouse sign-in again.');
  }
}

/** `undefined`: the portal did not answer, so it is asked more seldom (RFC 8628 §3.5). */
async function claimed(portal: Portal, deviceCode: string): Promise<Claim | undefined> {
  try {
    return await portal.call(ClaimDeviceSession, { body: { deviceCode } });
  } catch (error) {
    if (isPassing(error)) return undefined;
    throw error;
  }
}

/** Ends the session at the portal, and forgets the token. */
export async function signOut({ terminal, origin, sessions }: SignInDeps): Promise<{ exit: number; json: unknown }> {
  const kept = sessions.of(origin);
  if (!kept) {
    terminal.out(`Nobody is signed in at ${origin} on this machine.`);
    return { exit: EXIT.nothing, json: { portal: origin, ended: false } };
  }
  const ended = await connect(terminal, origin, kept.token).call(SignOut, { body: {} }).then(() => true, (error: unknown) => {
    // Over already, at the portal. Any other failure leaves the token here, so that it can be ended later.
    if (error instanceof Refusal && error.code === 'not-signed-in') return false;
    throw error;
  });
  sessions.forget(origin);
  terminal.out(`Signed out at ${origin}.${ended ? '' : ' The session had ended there already.'}`);
  return { exit: EXIT.nothing, json: { portal: origin, ended } };
}
