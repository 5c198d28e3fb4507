// Dates in the reader's own words.
for (const element of document.querySelectorAll("time[datetime]")) {
  const date = new Date(element.dateTime);
  element.title = date.toLocaleString();
}
