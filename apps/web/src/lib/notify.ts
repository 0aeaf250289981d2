/** Shows a notification of the browser, where it may. By the tag, tabs that tell of the same thing show it once. */
export function notify(title: string, options: { readonly body: string; readonly tag: string }, onClick?: () => void): void {
  try {
    const notification = new Notification(title, options);
    if (onClick) notification.onclick = () => {
      window.focus();
      onClick();
      notification.close();
    };
  } catch {
    // Some browsers notify from service workers only, those of Android among them: the page itself tells of it.
  }
}
