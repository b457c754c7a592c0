-- Neovim's client for `ordain lsp`: ~/.config/nvim/lsp/ordain.lua, enabled by vim.lsp.enable("ordain").
return {
  cmd = { "ordain", "lsp" },
  filetypes = { "ordain" },
  root_markers = { "policies", ".git" },
  -- Folders that are sets of policies of their own, relative to the root:
  -- init_options = { policies = { "tenants/acme", "tenants/globex" } },
}
