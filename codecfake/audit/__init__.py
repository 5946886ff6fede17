"""The audit: do lists leak, is audio there twice, and can fakes be told by what no codec should change?"""
