/** Business time. On the emulated tenant it runs with the tenant's clock, so a demo moves as a whole. */
export interface Clock {
  now(): Date;
}

/** An instant of real time as the page shows it, by whose clock the page goes: a demo that was moved forward shows no session as long over. */
export function shownAt(instant: Date, { systemClock, clock }: { readonly systemClock: Clock; readonly clock: Clock }): string {
  return new Date(instant.getTime() + clock.now().getTime() - systemClock.now().getTime()).toISOString();
}
