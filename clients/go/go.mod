module github.com/doorward/doorward/clients/go

go 1.21
