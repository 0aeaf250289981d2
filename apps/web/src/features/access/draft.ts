import { AskForEligibility, RequestActivation, RequestActivations } from '@gatehouse/contracts';
import { z } from 'zod';

/** What was typed to activate one access. `send`: the person asked for it to go out when they are back. */
export const ActivationDraft = z.object({ body: RequestActivation.body.partial().required({ groupId: true }), send: z.boolean() });
export const activationDraft = (groupId: string): string => `activation.${groupId}`;

/** Where the browser comes back to after verifying: the panel opens filled, and the request goes out. */
export const resumeAddress = (groupId: string): string => `/access?activate=${groupId}&resume=1`;

/** What was chosen to activate together; `send` as above. */
export const ManyDraft = z.object({ body: RequestActivations.body, send: z.boolean() });
export const MANY_DRAFT = 'activations';

/** What was typed to ask for a longer eligibility. */
export const EligibilityDraft = AskForEligibility.body.pick({ days: true, justification: true });
export const eligibilityDraft = (groupId: string): string => `eligibility.${groupId}`;
