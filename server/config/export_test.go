package config

// LoadContent is Load of a file with that content.
var LoadContent = load
