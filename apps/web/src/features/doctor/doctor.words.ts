import type { PathLinkName, PathLinkState } from '@gatehouse/contracts';
import type { Tone } from '../../ui/states.tsx';

export const LINKS: Readonly<Record<PathLinkName, string>> = {
  'destination': 'Destination', 'segment': 'Application segment', 'application': 'Application', 'assignment-required': 'Assignment required', 'group': 'Assigned group', 'eligibility': 'Eligibility',
  'policy': 'Role settings', 'active': 'Active membership', 'token-age': 'Age of the client’s token', 'connector': 'Connector', 'traffic-profile': 'Traffic profile',
};

export const STATES: Readonly<Record<PathLinkState, { readonly tone: Tone; readonly word: string }>> = {
  'holds': { tone: 'good', word: 'In order' }, 'broken': { tone: 'bad', word: 'Broken' }, 'not-known': { tone: 'warn', word: 'Not known' }, 'not-reached': { tone: 'quiet', word: 'Not looked at' },
};
