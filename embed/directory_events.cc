// Uses inotify if the system has it. Watches are added again each time, which is cheap, and
// correct if a directory was replaced.
#include "embed/directory_events.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <string_view>
#ifdef __linux__
#include <sys/inotify.h>
#endif

namespace ordain::detail {
namespace {

int make_events() {
#ifdef __linux__
  return inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
#else
  return -1;
#endif
}

}  // namespace

DirectoryEvents::DirectoryEvents(bool listen) : events_(listen ? make_events() : -1) {
  if (pipe(wake_) != 0) wake_[0] = wake_[1] = -1;
  for (int end : wake_) {
    if (end < 0) continue;
    fcntl(end, F_SETFD, FD_CLOEXEC);
    fcntl(end, F_SETFL, O_NONBLOCK);
  }
}

DirectoryEvents::~DirectoryEvents() {
  for (int descriptor : {events_, wake_[0], wake_[1]}) {
    if (descriptor >= 0) close(descriptor);
  }
}

bool DirectoryEvents::listen_to(const std::set<std::string>& directories) {
#ifdef __linux__
  if (events_ < 0) return false;
  bool all = true;
  constexpr uint32_t kMask = IN_CLOSE_WRITE | IN_MODIFY | IN_ATTRIB | IN_CREATE | IN_DELETE | IN_MOVED_FROM |
                             IN_MOVED_TO | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR;
  // A directory that has disappeared needs no watch, because the directory above it is in the set.
  // Watches that are no longer wanted remain; their events make the caller look again and find no
  // change.
  for (const std::string& directory : directories) {
    if (inotify_add_watch(events_, directory.c_str(), kMask) < 0 && errno != ENOENT && errno != ENOTDIR) all = false;
  }
  return all;
#else
  (void)directories;
  return false;
#endif
}

DirectoryEvents::Seen DirectoryEvents::take_events() {
  Seen seen = Seen::nothing;
#ifdef __linux__
  alignas(inotify_event) char buffer[16 * 1024];
  for (ssize_t size; (size = read(events_, buffer, sizeof(buffer))) > 0;) {
    for (ssize_t at = 0; at < size;) {
      const auto* event = reinterpret_cast<const inotify_event*>(buffer + at);
      at += static_cast<ssize_t>(sizeof(inotify_event) + event->len);
      if (seen == Seen::nothing) seen = Seen::something;
      const std::string_view name = event->len == 0 ? "" : event->name;
      if ((event->mask & IN_Q_OVERFLOW) != 0) {
        seen = Seen::policy;
        written_.clear();
      } else if (name.ends_with(".policy")) {
        seen = Seen::policy;
        std::pair<int, std::string> file(event->wd, name);
        if ((event->mask & IN_MODIFY) != 0) {
          written_.insert(std::move(file));
        } else if ((event->mask & (IN_CLOSE_WRITE | IN_MOVED_FROM | IN_MOVED_TO | IN_DELETE)) != 0) {
          written_.erase(file);
        }
      }
    }
  }
#endif
  return seen;
}

DirectoryEvents::Seen DirectoryEvents::wait(std::chrono::milliseconds timeout) {
  pollfd ends[] = {{wake_[0], POLLIN, 0}, {events_, POLLIN, 0}};  // negative descriptors are ignored
  const int ready = poll(ends, 2, static_cast<int>(timeout.count()));
  if (ready <= 0) return Seen::nothing;
  if (ends[0].revents != 0) return Seen::woken;
  return take_events();
}

void DirectoryEvents::wake() {
  const char byte = 0;
  while (write(wake_[1], &byte, 1) < 0 && errno == EINTR) {
  }
}

}  // namespace ordain::detail
