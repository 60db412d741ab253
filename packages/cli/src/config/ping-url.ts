/** Whether a monitor can be told at that address. */
export const isPingUrl = (text: string): boolean => URL.canParse(text) && /^https?:$/.test(new URL(text).protocol)
