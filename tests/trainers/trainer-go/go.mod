module trainer

go 1.19
