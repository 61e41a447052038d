package config

// Tokened tells whether sending telemetry and reading runs ask for a token.
func (c *Config) Tokened() (ingest, read bool) {
	admin := len(c.Tokens.Admin) > 0
	return admin || len(c.Tokens.Ingest) > 0, admin || len(c.Tokens.API) > 0
}

func (v *checker) tls(t *TLS) {
	v.no(t.Cert != "" && t.Key == "", "tls.key", "is missing: the certificate needs its key")
	v.no(t.Key != "" && t.Cert == "", "tls.cert", "is missing: the key needs its certificate")
	v.no(t.ClientCA != "" && t.Cert == "", "tls.client_ca", "needs tls.cert and tls.key: without TLS no client shows a certificate")
}

// auth refuses what require_auth is there to refuse, and profiles for strangers.
func (v *checker) auth(c *Config) {
	v.no(!c.Debug.Listen.Off() && !c.Debug.Listen.Loopback(), "debug.listen", "must be an address of this machine alone, such as 127.0.0.1:6060")
	if !c.RequireAuth || !c.Exposed() {
		return
	}
	ingest, read := c.Tokened()
	v.no(!ingest, "require_auth", "other machines can come in and no token for sending is set: set --ingest-token or listen on loopback")
	v.no(!read, "require_auth", "other machines can come in and no token for reading is set: set --api-token or listen on loopback")
}
