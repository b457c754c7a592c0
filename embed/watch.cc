// PolicyWatcher: events in directories say when to look, and the files found on disk say whether
// to compile.
#include "ordain/watch.h"

#include <sys/stat.h>

#include <algorithm>
#include <atomic>
#include <exception>
#include <filesystem>
#include <map>
#include <set>
#include <thread>
#include <tuple>
#include <utility>

#include "compiler/policy_files.h"
#include "embed/directory_events.h"
#include "vm/value/start_thread.h"

namespace ordain {
namespace {

namespace fs = std::filesystem;
using detail::DirectoryEvents;
using Seen = DirectoryEvents::Seen;
using std::chrono::milliseconds;

// Distinguishes one state of a file from another. Links are followed.
using Stamp = std::tuple<dev_t, ino_t, off_t, time_t, long, time_t, long>;

struct Snapshot {
  std::map<std::string, Stamp> files;  ///< the given files, *.policy under and beside them, imports, and data files
  std::set<std::string> directories;   ///< where relevant changes may happen
  bool policies = false;               ///< there is a file to compile
  bool empty_file = false;             ///< perhaps its writer has only just opened it

  bool same_files(const Snapshot& other) const { return files == other.files; }
};

std::string directory_of(const fs::path& path) {
  const fs::path parent = path.parent_path();
  return parent.empty() ? "." : parent.string();
}

class Looker {
 public:
  /// @param data whether to look also at data files beside policies, which no program in force names
  Looker(Snapshot& out, bool data) : out_(out), data_(data) {}

  void add_given(const std::string& path) {
    std::error_code error;
    links(path);
    if (!fs::is_directory(path, error)) return file(path, true);
    out_.directories.insert(directory_of(fs::absolute(path, error).lexically_normal()));  // may be replaced itself
    const detail::PolicyFiles found = detail::find_policy_files(path);
    for (const std::string& each : found.directories) {
      directory(each);
      if (fs::is_symlink(each, error)) target(each);
    }
    for (const std::string& each : found.files) file(each, true);
    for (const std::string& each : found.directories) {
      if (data_) data_files(each);
    }
  }

  // Adds a file that a program is known to use, and its neighbours, among which imports are sought.
  void add_known(const std::string& path) {
    file(path, false);
    std::error_code error;
    fs::directory_iterator entry(directory_of(path), error);
    for (; !error && entry != fs::directory_iterator(); entry.increment(error)) {
      if (entry->path().extension() == ".policy") file(entry->path(), false);
    }
  }

 private:
  // Policies may have failed for one that is not there yet, or has a mistake.
  void data_files(const fs::path& path) {
    std::error_code error;
    fs::directory_iterator entry(path, error);
    for (; !error && entry != fs::directory_iterator(); entry.increment(error)) {
      const fs::path extension = entry->path().extension();
      if (extension == ".csv" || extension == ".json" || extension == ".jsonl") file(entry->path(), false);
    }
  }

  void directory(const fs::path& path) {
    std::error_code error;
    const fs::path real = fs::canonical(path, error);
    out_.directories.insert(error ? path.string() : real.string());
  }

  // Adds the directories of the symbolic links in a path: each link may be replaced.
  void links(const fs::path& path) {
    std::error_code error;
    fs::path prefix;
    for (const fs::path& part : fs::absolute(path, error)) {
      prefix /= part;
      if (fs::is_symlink(prefix, error)) directory(prefix.parent_path());
    }
  }

  void file(const fs::path& path, bool counts) {
    struct stat info{};
    out_.directories.insert(directory_of(path));
    if (stat(path.c_str(), &info) != 0 || S_ISDIR(info.st_mode)) return;
    out_.policies = out_.policies || counts;
    out_.empty_file = out_.empty_file || info.st_size == 0;
#ifdef __APPLE__
    const timespec written = info.st_mtimespec, changed = info.st_ctimespec;
#else
    const timespec written = info.st_mtim, changed = info.st_ctim;
#endif
    out_.files[path.string()] = {info.st_dev,     info.st_ino,    info.st_size,   written.tv_sec,
                                 written.tv_nsec, changed.tv_sec, changed.tv_nsec};
    std::error_code error;
    if (!fs::is_symlink(path, error)) return;
    directory(fs::canonical(path, error).parent_path());
    target(path);
  }

  // Adds the directories of the links behind a link: each may be replaced.
  void target(const fs::path& link) {
    std::error_code error;
    links(link.parent_path() / fs::read_symlink(link, error));
  }

  Snapshot& out_;
  const bool data_;
};

}  // namespace

struct PolicyWatcher::State {
  State(std::vector<std::string> given, const Program* in_force, OnChange tell, WatchOptions chosen)
      : paths(std::move(given)), on_change(std::move(tell)), options(std::move(chosen)), events(!options.always_poll) {
    if (!options.load) options.load = [](const std::vector<std::string>& from) { return load_policies(from); };
    if (in_force != nullptr) adopt(*in_force);
    listen(look());
    if (!vm::start_thread(&thread, [this] { watch(); })) {
      on_change({nullptr, "the policies are not watched: no thread could be started\n"});
    }
  }

  ~State() {
    stop = true;
    events.wake();
    if (thread.joinable()) thread.join();
  }

  Snapshot look() const {
    Snapshot out;
    Looker looker(out, !loaded || !reported.empty());
    for (const std::string& path : paths) looker.add_given(path);
    for (const std::string& path : files) looker.add_known(path);
    return out;
  }

  void adopt(const Program& program) {
    digest = program.digest();
    loaded = true;
    files.assign(program.files().begin(), program.files().end());
  }

  void listen(const Snapshot& seen) { polling = !events.listen_to(seen.directories); }

  // The system may miss changes (by other machines, or before it listened to a new directory), so
  // the watcher looks from time to time anyway.
  milliseconds interval() const { return polling ? options.poll : std::max(options.poll, milliseconds(5000)); }

  // What fails, for lack of memory or because a file vanished, is tried again later.
  void watch() noexcept {
    while (!stop) {
      try {
        run();
      } catch (const std::exception&) {
        std::this_thread::sleep_for(milliseconds(100));
      }
    }
  }

  void run() {
    bool changed = true;  // perhaps, since `in_force` was compiled
    while (!stop) {
      if (!changed) {
        const Seen seen = events.wait(interval());
        changed = seen == Seen::policy || (seen != Seen::woken && !look().same_files(last));
        if (!changed) continue;
      }
      settle();
      changed = !stop && !reload();
    }
  }

  // Waits until nothing has happened for a while and nobody is writing, but not forever.
  void settle() {
    Snapshot before = look();
    for (int n = 0; n < 40 && !stop; ++n) {
      const Seen seen = events.wait(options.debounce);
      Snapshot after = look();
      if (seen == Seen::nothing && !events.writing() && !after.empty_file && after.same_files(before)) return;
      before = std::move(after);
    }
    events.forget_writers();
  }

  // @returns false if the files changed meanwhile: the policies read are then a mixture, and are
  // not reported.
  bool reload() {
    Snapshot before = look();
    listen(before);  // before reading, so that no later change is missed
    Policies policies;
    if (before.policies) {
      policies = options.load(paths);
    } else {
      policies.messages = "there is no policy file any more\n";
    }
    const bool more = events.wait(milliseconds(0)) == Seen::policy || events.writing();
    if (more || !look().same_files(before)) return false;
    if (policies && policies.program->rules().empty()) {
      policies = {nullptr, policies.messages + "there is no rule any more\n"};
    }
    if (policies && !(loaded && policies.program->digest() == digest)) {
      adopt(*policies.program);
      reported = policies.messages;
      on_change({policies.program, policies.messages});
    } else if (policies) {
      reported.clear();  // broken and repaired, or only a comment changed
    } else if (policies.messages != reported) {
      reported = policies.messages;
      on_change({nullptr, policies.messages});
    }
    const Snapshot now = look();  // with the files that a new program has
    listen(now);
    last = std::move(before);
    return now.same_files(last);
  }

  std::vector<std::string> paths;
  OnChange on_change;
  WatchOptions options;
  std::vector<std::string> files;  // the files of the program in force
  Digest digest{};
  bool loaded = false;
  std::string reported;
  Snapshot last;
  DirectoryEvents events;
  std::atomic<bool> polling{false}, stop{false};
  std::thread thread;
};

PolicyWatcher::PolicyWatcher(std::vector<std::string> paths, const std::shared_ptr<const Program>& in_force,
                             OnChange on_change, WatchOptions options)
    : state_(std::make_unique<State>(std::move(paths), in_force.get(), std::move(on_change), std::move(options))) {}

PolicyWatcher::~PolicyWatcher() = default;

bool PolicyWatcher::polls() const { return state_->polling; }

}  // namespace ordain
