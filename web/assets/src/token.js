// A form's token belongs to a login. Who logs in again in another window and comes back here with a filled form gets
// the token of the new login, so that nothing has to be typed twice.

export function keepTokenFresh() {
  const inputs = document.querySelectorAll('input[name="csrf_token"]');
  const address = document.querySelector('meta[name="token-address"]')?.content;
  if (!inputs.length || !address) return;
  const refresh = async () => {
    try {
      const response = await fetch(address, { headers: { Accept: "application/json" } });
      if (!response.ok) return;
      const { token } = await response.json();
      for (const input of inputs) input.value = token;
    } catch {
      // Offline: the old token stays, and the server says so if it no longer does.
    }
  };
  window.addEventListener("pageshow", (event) => {
    const [navigation] = performance.getEntriesByType("navigation");
    if (event.persisted || navigation?.type === "back_forward") refresh();
  });
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "visible") refresh();
  });
}
