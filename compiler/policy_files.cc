// policy_files.cc walks a directory. The iterator of the standard library either skips linked
// directories or follows them in circles, and does not say where it failed.
#include "compiler/policy_files.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <deque>
#include <filesystem>
#include <set>
#include <system_error>
#include <utility>

namespace ordain::detail {
namespace {

namespace fs = std::filesystem;

class FolderWalk {
 public:
  PolicyFiles walk(const fs::path& directory) {
    waiting_.push_back(directory);
    while (!waiting_.empty() || !links_.empty()) {
      std::deque<fs::path>& next = waiting_.empty() ? links_ : waiting_;
      const fs::path path = std::move(next.front());
      next.pop_front();
      search(path);
    }
    std::sort(out_.files.begin(), out_.files.end());
    return std::move(out_);
  }

 private:
  void search(const fs::path& path) {
    struct stat info{};
    if (stat(path.c_str(), &info) != 0) return add_problem(path, std::strerror(errno));
    if (!searched_.insert({info.st_dev, info.st_ino}).second) return;
    out_.directories.push_back(path.generic_string());
    std::error_code error;
    std::vector<fs::path> entries;
    fs::directory_iterator entry(path, error);
    for (; !error && entry != fs::directory_iterator(); entry.increment(error)) entries.push_back(entry->path());
    if (error) return add_problem(path, error.message());
    std::sort(entries.begin(), entries.end());  // the order in which a directory lists them is arbitrary
    for (const fs::path& each : entries) take(each);
  }

  void take(const fs::path& path) {
    std::error_code error;
    const fs::file_status status = fs::status(path, error);
    if (fs::is_directory(status)) {
      (fs::is_symlink(path, error) ? links_ : waiting_).push_back(path);
    } else if (path.extension() == ".policy") {
      out_.files.push_back(path.generic_string());
    } else if (!fs::status_known(status) && error) {
      add_problem(path, error.message());  // it may be a link to a directory
    }
  }

  void add_problem(const fs::path& path, std::string why) {
    out_.problems.push_back({path.generic_string(), std::move(why)});
  }

  PolicyFiles out_;
  std::deque<fs::path> waiting_, links_;
  std::set<std::pair<dev_t, ino_t>> searched_;
};

}  // namespace

PolicyFiles find_policy_files(const std::string& directory) { return FolderWalk().walk(directory); }

}  // namespace ordain::detail
