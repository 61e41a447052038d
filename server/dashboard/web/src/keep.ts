// What this browser remembers; a browser that forbids it just forgets.

export function kept(name: string): string | null {
  try {
    return localStorage.getItem("treq." + name);
  } catch {
    return null;
  }
}

export function keep(name: string, value: string): void {
  try {
    localStorage.setItem("treq." + name, value);
  } catch {
    // A private window may refuse; the choice then holds for this page.
  }
}
