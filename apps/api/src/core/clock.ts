/** Business time. On the emulated tenant it runs with the tenant's clock, so a demo moves as a whole. */
export interface Clock {
  now(): Date;
}
