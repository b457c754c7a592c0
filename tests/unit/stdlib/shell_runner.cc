// shell_runner.cc runs shell lines in a sandbox.
#include "tests/unit/stdlib/shell_runner.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <thread>

#include "tests/unit/stdlib/shell_lines.h"

namespace ordain::testing {
namespace {

namespace fs = std::filesystem;
constexpr uid_t kNobody = 65534;
constexpr auto kBatchTime = std::chrono::seconds(60);

// Writes what shell_stub.c writes, with a status that varies alike.
constexpr const char* kLog = R"(ordain_log() {
  ordain_record=$ORDAIN_LINE
  for ordain_part do ordain_record="$ordain_record)"
                             "\x1f"
                             R"($ordain_part"; done
  printf '%s\036' "$ordain_record" >>"$ORDAIN_LOG"
  ordain_calls=$((${ordain_calls:-0} + 1))
  return $((ordain_calls % 2))
}
)";

std::string quoted(const std::string& text) {
  std::string out = "'";
  for (char c : text) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

bool limit(int resource, rlim_t most) {
  const rlimit both{most, most};
  return setrlimit(static_cast<__rlimit_resource>(resource), &both) == 0;
}

// Gives up what the child could do harm with. @returns false if that failed
bool confine() {
  const bool root = geteuid() == 0;
  if (root) unshare(CLONE_NEWNET);  // not everywhere possible; lines have no means to reach a network anyway
  bool ok = limit(RLIMIT_CPU, 2) && limit(RLIMIT_FSIZE, 1 << 20) && limit(RLIMIT_AS, 512U << 20) &&
            limit(RLIMIT_CORE, 0) && limit(RLIMIT_NOFILE, 64) && limit(RLIMIT_NPROC, root ? 256 : 4096) &&
            limit(RLIMIT_STACK, 1 << 20);
  if (root) ok = ok && setgid(kNobody) == 0 && setuid(kNobody) == 0 && geteuid() == kNobody;
  return ok && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0;
}

}  // namespace

ShellRunner::ShellRunner(const std::string& stub) {
  std::string pattern = (fs::temp_directory_path() / "ordain-shell-XXXXXX").string();
  if (mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("cannot make a temporary directory");
  root_ = pattern;
  fs::permissions(root_, fs::perms(0755));
  fs::create_directory(root_ + "/bin");
  for (const char* name : kShellPrograms) fs::copy_file(stub, root_ + "/bin/" + name);
}

ShellRunner::~ShellRunner() {
  std::error_code ignored;
  fs::remove_all(root_, ignored);
}

std::string ShellRunner::read(const std::string& name) const {
  std::ifstream file(root_ + "/" + name, std::ios::binary);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

// In the child: becomes the shell.
void ShellRunner::start(const std::string& shell) const {
  setpgid(0, 0);
  const int null = open("/dev/null", O_RDWR);
  for (int fd : {0, 1, 2}) dup2(null, fd);
  close_range(3, ~0U, 0);
  if (chdir((root_ + "/work").c_str()) != 0 || !confine()) _exit(120);
  const std::string path = "PATH=" + root_ + "/bin", home = "HOME=" + root_ + "/work",
                    log = "ORDAIN_LOG=" + root_ + "/log";
  const std::string script = root_ + "/script";
  const char* environment[] = {path.c_str(), home.c_str(), log.c_str(), "FUNCNEST=20", "LC_ALL=C.UTF-8", nullptr};
  const char* arguments[] = {shell.c_str(), script.c_str(), nullptr};
  execve(shell.c_str(), const_cast<char* const*>(arguments), const_cast<char* const*>(environment));
  _exit(121);
}

void ShellRunner::run_from(const std::string& shell, const std::vector<std::string>& lines, size_t first) {
  fs::remove_all(root_ + "/work");
  fs::create_directory(root_ + "/work");
  std::ofstream script(root_ + "/script", std::ios::binary);
  for (const char* name : {"kill", "cd", "history", "umask", "ulimit", "suspend", "logout"})
    script << name << "() { :; }\n";
  // Functions are faster than programs; the programs remain for `command` and `exec`.
  for (const char* name : kShellPrograms) script << name << "() { ordain_log " << name << " \"$@\"; }\n";
  script << kLog;
  for (size_t i = first; i < lines.size(); ++i) {
    script << "echo " << i << " >>\"$ORDAIN_LOG.at\"\n(ORDAIN_LINE=" << i << "; export ORDAIN_LINE; eval "
           << quoted(lines[i]) << ") </dev/null >/dev/null 2>&1\n";
  }
  script << "echo end >>\"$ORDAIN_LOG.at\"\n";
  script.close();
  for (const char* name : {"log", "log.at"}) std::ofstream(root_ + "/" + name, std::ios::app);
  if (geteuid() == 0) {
    for (const char* name : {"work", "log", "log.at"}) {
      if (chown((root_ + "/" + name).c_str(), kNobody, kNobody) != 0)
        throw std::runtime_error("cannot change an owner");
    }
  }
  const pid_t child = fork();
  if (child < 0) throw std::runtime_error("cannot fork");
  if (child == 0) start(shell);
  setpgid(child, child);
  const auto end = std::chrono::steady_clock::now() + kBatchTime;
  int status = 0;
  while (waitpid(child, &status, WNOHANG) == 0) {
    if (std::chrono::steady_clock::now() > end) {
      killpg(child, SIGKILL);
      waitpid(child, &status, 0);
      break;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  killpg(child, SIGKILL);  // what the lines left in the background
  if (WIFEXITED(status) && (WEXITSTATUS(status) == 120 || WEXITSTATUS(status) == 121)) {
    throw std::runtime_error("cannot confine or start " + shell);
  }
}

std::vector<std::vector<ShellCall>> ShellRunner::run(const std::string& shell, const std::vector<std::string>& lines) {
  for (const char* name : {"log", "log.at"}) fs::remove(root_ + "/" + name);
  for (size_t first = 0; first < lines.size();) {
    run_from(shell, lines, first);
    std::istringstream at(read("log.at"));
    std::string last, word;
    while (at >> word) last = word;
    if (last == "end") break;
    ++cut_off_;
    first = last.empty() ? first + 1 : std::stoul(last) + 1;
  }
  std::vector<std::vector<ShellCall>> out(lines.size());
  std::istringstream log(read("log"));
  for (std::string record; std::getline(log, record, '\x1e');) {
    std::istringstream parts(record);
    ShellCall call;
    for (std::string part; std::getline(parts, part, '\x1f');) call.push_back(part);
    if (!record.empty() && record.back() == '\x1f') call.emplace_back();
    const size_t line = std::stoul(call.at(0));
    call.erase(call.begin());
    out.at(line).push_back(call);
  }
  return out;
}

}  // namespace ordain::testing
