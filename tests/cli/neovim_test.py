"""Neovim, without a screen, starts `ordain lsp` as editors/neovim/ordain.lua says, and asks it what its users ask.
Skipped where there is no `nvim`. It runs with 0.7, which Debian 12 has, and with later ones."""

import json
import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

BIN = pathlib.Path(os.environ["ORDAIN_BIN"])
ROOT = pathlib.Path(__file__).resolve().parents[2]
NVIM = shutil.which("nvim")

TEXT = """capability pay { input { to: string, amount: double } }
let limit   =   500.0;
policy payments on before pay {
  deny large when input.amuont > limit;
}
"""

# What the editor does, and writes to results.json.
SCRIPT = """
local folder, command, config = vim.env.TEST_FOLDER, vim.env.TEST_COMMAND, dofile(vim.env.TEST_CONFIG)
local results = {}

local function finish()
  local out = io.open(folder .. "/results.json", "w")
  out:write(vim.fn.json_encode(results))
  out:close()
  vim.cmd("qall!")
end

local function ask(method, line, character, extra)
  local params = vim.tbl_extend("force", {
    textDocument = { uri = vim.uri_from_bufnr(0) },
    position = { line = line, character = character },
  }, extra or {})
  local answers = vim.lsp.buf_request_sync(0, method, params, 60000) or {}
  for _, answer in pairs(answers) do return answer.result end
end

local function run()
  config.cmd[1] = command
  local start = vim.lsp.start_client or vim.lsp.start
  local client = start({
    name = "ordain",
    cmd = config.cmd,
    root_dir = folder,
    workspace_folders = { { uri = vim.uri_from_fname(folder), name = "policies" } },
    filetypes = config.filetypes,
  })
  vim.lsp.buf_attach_client(0, client)
  results.attached = client ~= nil
  results.filetype = vim.bo.filetype
  vim.wait(60000, function() return #vim.diagnostic.get(0) > 0 end, 20)
  for _, each in ipairs(vim.diagnostic.get(0)) do
    results.diagnostic = { line = each.lnum, column = each.col, message = each.message }
  end
  results.hover = ask("textDocument/hover", 3, 34)
  results.definition = ask("textDocument/definition", 3, 34)
  results.completion = ask("textDocument/completion", 3, 24)
  local place = { line = 3, character = 26 }
  results.fix = ask("textDocument/codeAction", 3, 26, { range = { start = place, ["end"] = place }, context = { diagnostics = {} } })
  vim.api.nvim_buf_set_text(0, 3, 24, 3, 30, { "amount" })
  vim.wait(60000, function() return #vim.diagnostic.get(0) == 0 end, 20)
  results.left = #vim.diagnostic.get(0)
  local edits = ask("textDocument/formatting", 0, 0, { options = { tabSize = 2, insertSpaces = true } })
  vim.lsp.util.apply_text_edits(edits, 0, "utf-16")
  results.text = table.concat(vim.api.nvim_buf_get_lines(0, 0, -1, false), "\\n") .. "\\n"
end

local ok, mistake = pcall(run)
if not ok then results.mistake = tostring(mistake) end
finish()
"""


@unittest.skipIf(NVIM is None, "there is no nvim (Debian: neovim)")
class Neovim(unittest.TestCase):
    def test_a_policy_is_written(self):
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name).resolve()
            (folder / "pay.policy").write_text(TEXT, encoding="utf-8")
            (folder / "script.lua").write_text(SCRIPT, encoding="utf-8")
            environment = {**os.environ, "TEST_FOLDER": str(folder), "TEST_COMMAND": str(BIN / "ordain"), "HOME": str(folder),
                           "TEST_CONFIG": str(ROOT / "editors/neovim/ordain.lua"), "XDG_STATE_HOME": str(folder),
                           "XDG_DATA_HOME": str(folder), "XDG_CACHE_HOME": str(folder), "XDG_CONFIG_HOME": str(folder)}
            run = subprocess.run(
                [NVIM, "--headless", "-n", "-u", "NONE", "-i", "NONE", "--cmd", f"set runtimepath^={ROOT / 'editors/vim'}",
                 "--cmd", "filetype plugin on", "-c", "luafile " + str(folder / "script.lua"), str(folder / "pay.policy")],
                env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=240, check=False)
            self.assertTrue((folder / "results.json").is_file(), run.stderr)
            results = json.loads((folder / "results.json").read_text(encoding="utf-8"))
        self.assertNotIn("mistake", results)
        self.assertEqual(results["filetype"], "ordain")
        self.assertEqual((results["diagnostic"]["line"], results["diagnostic"]["column"]), (3, 24), results)
        self.assertIn("amuont", results["diagnostic"]["message"])
        self.assertIn("double", results["hover"]["contents"]["value"])
        self.assertEqual(results["definition"][0]["range"]["start"], {"line": 1, "character": 4})
        self.assertLessEqual({"to", "amount"}, {each["label"] for each in results["completion"]})
        self.assertEqual([each["title"] for each in results["fix"]], ["write `amount`"])
        self.assertEqual(results["left"], 0)
        formatted = subprocess.run([BIN / "ordain", "fmt", "-"], input=TEXT.replace("amuont", "amount"), capture_output=True, text=True,
                                   timeout=60, check=True)
        self.assertEqual(results["text"], formatted.stdout)


if __name__ == "__main__":
    unittest.main()
