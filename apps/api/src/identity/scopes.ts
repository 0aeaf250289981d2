/**
 * Delegated permissions of Microsoft Graph by what a person does, asked for when they first do it. Why each is needed
 * stands in docs/connect-a-tenant.md.
 */
const SCOPES = {
  'sign-in': ['User.Read'],
  'access': ['User.Read', 'PrivilegedEligibilitySchedule.Read.AzureADGroup', 'PrivilegedAssignmentSchedule.ReadWrite.AzureADGroup'],
  'ask-for-eligibility': ['User.Read', 'PrivilegedEligibilitySchedule.ReadWrite.AzureADGroup'],
  'end-access': ['User.Read', 'PrivilegedAssignmentSchedule.ReadWrite.AzureADGroup', 'User.RevokeSessions.All'],
  'approvals': ['User.Read', 'PrivilegedAssignmentSchedule.ReadWrite.AzureADGroup'],
  'setup': [
    'User.Read', 'User.ReadBasic.All', 'Group.ReadWrite.All', 'PrivilegedAccess.Read.AzureADGroup',
    'PrivilegedEligibilitySchedule.ReadWrite.AzureADGroup', 'PrivilegedAssignmentSchedule.ReadWrite.AzureADGroup', 'RoleManagementPolicy.ReadWrite.AzureADGroup', 'Application.ReadWrite.All',
    'AppRoleAssignment.ReadWrite.All', 'Directory.Read.All', 'Directory.ReadWrite.All', 'AuthenticationContext.Read.All', 'NetworkAccess.Read.All',
  ],
} as const;

export type ScopeSet = keyof typeof SCOPES;

export const scopesOf = (set: ScopeSet): readonly string[] => SCOPES[set];
