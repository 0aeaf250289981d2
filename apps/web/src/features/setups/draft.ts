import type { SetupDefinition } from '@gatehouse/contracts';
import type { z } from 'zod';

/** A setup as the wizard holds it while it is being filled in. */
export type SetupDraft = z.input<typeof SetupDefinition>;
