module migrate.invalid/demo/service

go 1.24
