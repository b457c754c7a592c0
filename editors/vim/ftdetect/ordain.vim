autocmd BufNewFile,BufRead *.policy set filetype=ordain
