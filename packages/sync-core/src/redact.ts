// A password may hold anything but the characters that end an authority, so the last "@" before those counts.
const USERINFO = /([a-z][a-z0-9+.-]*:\/\/)[^\s/?#]*@/gi
const PASSWORD_PARAMETER = /([?&](?:password|sslpassword|token|access_token)=)[^&\s]*/gi

/** The text without the user names and passwords of the addresses in it, for logs, errors and tables. */
export function redact(text: string): string {
  return text.replace(USERINFO, '$1').replace(PASSWORD_PARAMETER, '$1***')
}
