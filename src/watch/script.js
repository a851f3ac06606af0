// The page is made by the server; this puts in what has changed, and counts the seconds.
const events = new EventSource("/events");
const parts = [...document.querySelectorAll("[data-part]")];

for (const part of parts) {
  events.addEventListener(part.dataset.part, (event) => {
    part.innerHTML = event.data;
    count();
  });
}

// A form without leaving the page.
document.addEventListener("submit", (event) => {
  event.preventDefault();
  fetch("/do", { method: "POST", body: new URLSearchParams(new FormData(event.target, event.submitter)) });
});

const live = (is) => document.body.classList.toggle("gone", !is);
events.onopen = () => live(true);
events.onerror = () => live(false);

function count() {
  for (const time of document.querySelectorAll("time[data-running]")) {
    const seconds = Math.max(0, Math.round((Date.now() - Date.parse(time.dateTime)) / 1000));
    const minutes = Math.floor(seconds / 60);
    time.textContent = minutes ? `${minutes} min ${seconds % 60} s` : `${seconds} s`;
  }
}

count();
setInterval(count, 1000);
