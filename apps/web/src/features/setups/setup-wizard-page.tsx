export function SetupWizardPage() { return null; }
