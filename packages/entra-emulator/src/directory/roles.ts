import { createHash } from 'node:crypto';
import type { Tenant, User } from '../tenant.ts';

/** Built-in roles with their published template ids and descriptions: those that somebody holds here, or that a call asks for. */
const BUILT_IN: Readonly<Record<string, readonly [templateId: string, description: string]>> = {
  'Application Administrator': ['9b895d92-2cd3-44c7-9d02-a6ac2d5ea5c3', 'Can create and manage all aspects of app registrations and enterprise apps.'],
  'Authentication Administrator': ['c4e39bd9-1100-46d3-8c65-fb160da0071f', 'Can access to view, set and reset authentication method information for any non-admin user.'],
  'Cloud Application Administrator': ['158c047a-c907-4556-b7ef-446551a6b5f7', 'Can create and manage all aspects of app registrations and enterprise apps except App Proxy.'],
  'Conditional Access Administrator': ['b1be1c3e-b65d-4f19-8427-f6fa0d97feb9', 'Can manage Conditional Access capabilities.'],
  'Directory Writers': ['9360feb5-f418-4baa-8175-e2a00bac4301', 'Can read and write basic directory information. For granting access to applications, not intended for users.'],
  'Global Administrator': ['62e90394-69f5-4237-9190-012177145e10', 'Can manage all aspects of Microsoft Entra ID and Microsoft services that use Microsoft Entra identities.'],
  'Global Reader': ['f2ef992c-3afb-46b9-b7cf-a126ee74c451', 'Can read everything that a Global Administrator can, but not update anything.'],
  'Global Secure Access Administrator': ['ac434307-12b9-4fa1-a708-88bf58caabc1', 'Create and manage all aspects of Global Secure Internet Access and Microsoft Global Secure Private Access, including managing access to public and private endpoints.'],
  'Groups Administrator': ['fdd7a751-b60b-444a-984c-02652fe8fa1c', 'Members of this role can create/manage groups, create/manage groups settings like naming and expiration policies, and view groups activity and audit reports.'],
  'Helpdesk Administrator': ['729827e3-9c14-49f7-bb1b-9608f156bbb8', 'Can reset passwords for non-administrators and Helpdesk Administrators.'],
  'Identity Governance Administrator': ['45d8d3c5-c802-45c6-b32a-1d70b5e1e86e', 'Manage access using Microsoft Entra ID for identity governance scenarios.'],
  'Privileged Authentication Administrator': ['7be44c8a-adaf-4e2a-84d6-ab2649e08a13', 'Can access to view, set and reset authentication method information for any user (admin or non-admin).'],
  'Privileged Role Administrator': ['e8611ab8-c189-46e8-94e1-60213ab1f814', 'Can manage role assignments in Microsoft Entra ID, and all aspects of Privileged Identity Management.'],
  'Reports Reader': ['4a5d8f65-41da-4de4-8968-e035b65339cf', 'Can read sign-in and audit reports.'],
  'Security Administrator': ['194ae4cb-b126-40b2-bd5b-6091b380977d', 'Can read security information and reports, and manage configuration in Microsoft Entra ID and Office 365.'],
  'Security Reader': ['5d6b6bb7-de71-4623-b4af-96380a352509', 'Can read security information and reports in Microsoft Entra ID and Office 365.'],
  'User Administrator': ['fe930be7-5e62-47db-91af-98c3a49a38b1', 'Can manage all aspects of users and groups, including resetting passwords for limited admins.'],
};

/** The role's object in this tenant: another id than in the next tenant, and always the same. */
function idIn(tenant: Tenant, templateId: string): string {
  const hex = createHash('sha256').update(`${tenant.id}/${templateId}`).digest('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

/** The directory roles that the person holds, as objects. A custom role is none: the directory's memberships do not show it. */
export const rolesOf = (tenant: Tenant, { directoryRoles }: User): Readonly<Record<string, unknown>>[] => directoryRoles.flatMap((displayName) => {
  const [roleTemplateId, description] = (Object.hasOwn(BUILT_IN, displayName) ? BUILT_IN[displayName] : undefined) ?? [];
  if (roleTemplateId === undefined) return [];
  return [{ '@odata.type': '#microsoft.graph.directoryRole', id: idIn(tenant, roleTemplateId), deletedDateTime: null, description, displayName, roleTemplateId }];
});
