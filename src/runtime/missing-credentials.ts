/** What actions need and nobody has set: told all at once. */
import { PawlError } from '../errors.ts';

export interface MissingCredential {
  credential: string;
  field: string;
  /** The environment variable that would have it. */
  variable: string;
  /** `action triage` */
  owner: string;
}

/** @param missing - at least one */
export function missingCredentials(missing: readonly MissingCredential[]): PawlError {
  const byVariable = new Map<string, MissingCredential & { owners: string[] }>();
  for (const each of missing) {
    const known = byVariable.get(each.variable);
    if (!known) byVariable.set(each.variable, { ...each, owners: [each.owner] });
    else if (!known.owners.includes(each.owner)) known.owners.push(each.owner);
  }
  const all = [...byVariable.values()];
  const list = all.map(({ credential, field, owners }) => `${credential}.${field} of ${owners.join(' and ')}`);
  const what = all.length === 1 ? 'A credential is' : `${all.length} values of credentials are`;
  const variables = all.map(({ variable }) => variable).join(', ');
  return new PawlError('PAWL_CREDENTIAL_MISSING', `${what} not set: ${list.join('; ')}.`, {
    place: all[0]?.owner,
    remedy: `Set ${variables} in the environment or in .env.`,
    details: all.map(({ credential, field, variable, owners }) => ({ credential, field, variable, owners })),
  });
}
