/** localStorage where it may be used, else null: what would be kept lasts as long as the page then. */

export const storage = usable();

function usable() {
  try {
    localStorage.setItem('arboris.probe', '1');
    localStorage.removeItem('arboris.probe');
    return localStorage;
  } catch (error) {
    console.info('No local storage:', error.name);
    return null;
  }
}
