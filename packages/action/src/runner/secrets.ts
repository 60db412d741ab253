import * as core from '@actions/core'

const PARAMETERS = ['password', 'sslpassword', 'token', 'access_token']

/** Has the runner mask an address and each secret in it, as it stands there and as it is used. @returns those */
export function maskSecrets(address: string): string[] {
  const secrets = secretsIn(address)
  for (const secret of secrets) core.setSecret(secret)
  if (secrets.length > 0) core.setSecret(address)
  return secrets
}

/** Has the runner mask a key. @returns it, where there is one */
export function maskKey(key: string | undefined): string[] {
  if (!key) return []
  core.setSecret(key)
  return [key]
}

/** Passwords and tokens of an address, encoded and decoded; nothing that only says where something is. */
export function secretsIn(address: string): string[] {
  if (!URL.canParse(address)) return []
  const { protocol, username, password, searchParams } = new URL(address)
  // https://<token>@host is how some servers have it; a database's user is no secret and stands in many lines.
  const token = password === '' && protocol.startsWith('http') ? username : ''
  const written = [password, token, ...PARAMETERS.flatMap((name) => searchParams.getAll(name))]
  return [...new Set(written.flatMap((secret) => [secret, decoded(secret)]))].filter(Boolean)
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
